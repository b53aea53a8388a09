import type { Grant } from "../../core/access/grant.ts";
import { type ApiBindings, directory, priorityQueue, signalLog } from "./objects.ts";

/**
 * Closes every link, stream and channel that a token has opened, wherever it reached. Nothing of it is opened again: who
 * opens one is checked with the directory each time.
 *
 * @throws when some could not be told; the token is gone all the same
 */
export async function closeSockets(
  env: ApiBindings,
  { id, ecosystems }: Pick<Grant, "id" | "ecosystems">,
): Promise<void> {
  const names = ecosystems.includes("*") ? await allEcosystems(env) : ecosystems;
  await Promise.all(
    names.map(async (name) => {
      const queues = await directory(env).queues(name);
      await Promise.all([
        signalLog(env, name).closeToken(id),
        ...queues.map((queue) => priorityQueue(env, name, queue.name).closeToken(id)),
      ]);
    }),
  );
}

async function allEcosystems(env: ApiBindings): Promise<string[]> {
  const [known, watched] = await Promise.all([directory(env).ecosystems(), directory(env).watched()]);
  return [...new Set([...known.map(({ name }) => name), ...watched])];
}
