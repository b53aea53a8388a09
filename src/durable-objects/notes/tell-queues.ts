import { objectNamed } from "../shell/ports.ts";
import type { NotesBindings } from "./ports.ts";

/** Queues that are told in one turn: an invocation may make 1,000 calls. */
const QUEUES = 400;
/** Calls under way at a time. */
const AT_ONCE = 6;

/**
 * Tells the queues that tasks of the ecosystem have notes. The directory is told before the queues are listed: a queue that
 * begins meanwhile is told by the directory.
 *
 * @param after - the last queue that was told; empty: nobody is
 * @returns the last queue that was told, where there are more; `undefined`: all are
 */
export async function tellQueues(env: NotesBindings, ecosystem: string, after: string): Promise<string | undefined> {
  const directory = objectNamed(env.DIRECTORY, "directory", env);
  if (after === "") await directory.mark("noting", ecosystem, true);
  const names = (await directory.queues(ecosystem)).map(({ name }) => name).filter((name) => name > after);
  const some = names.sort().slice(0, QUEUES);
  for (let from = 0; from < some.length; from += AT_ONCE)
    await Promise.all(
      some
        .slice(from, from + AT_ONCE)
        .map((name) => objectNamed(env.PRIORITY_QUEUE, `${ecosystem}/${name}`, env).handNotes()),
    );
  return names.length > some.length ? some.at(-1) : undefined;
}
