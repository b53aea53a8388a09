import type { Grant } from "../../../core/access/grant.ts";
import type { Environment } from "../../environment.ts";
import { directory, priorityQueue, signalLog } from "../../objects.ts";

/** Ecosystems that are told at once; each costs a call for its log and one for each of its queues. */
const AT_ONCE = 50;

/**
 * Closes every link, stream and channel that a token has opened in these ecosystems. Nothing of it is opened again: who
 * opens one is checked with the directory each time.
 *
 * @throws when some could not be told; the token is gone all the same
 */
export async function closeSockets(env: Environment, token: string, ecosystems: readonly string[]): Promise<void> {
  await Promise.all(
    ecosystems.map(async (name) => {
      const queues = await directory(env).queues(name);
      await Promise.all([
        signalLog(env, name).closeToken(token),
        ...queues.map((queue) => priorityQueue(env, name, queue.name).closeToken(token)),
      ]);
    }),
  );
}

/**
 * The same wherever a token that was deleted reached. Where that is in many ecosystems, or where something fails, the
 * next minute's round does it: the directory remembers that the token was deleted.
 */
export async function closeSocketsOf(env: Environment, { id, ecosystems }: Pick<Grant, "id" | "ecosystems">) {
  const names = ecosystems.includes("*") ? await allEcosystems(env) : ecosystems;
  if (names.length > AT_ONCE) return;
  try {
    await closeSockets(env, id, names);
  } catch (error) {
    console.warn("a deleted token's sockets will be closed within a minute", id, String(error));
  }
}

async function allEcosystems(env: Environment): Promise<string[]> {
  const [known, watched] = await Promise.all([directory(env).ecosystems(), directory(env).watched()]);
  return [...new Set([...known.map(({ name }) => name), ...watched])];
}
