import type { Grant } from "../../../core/access/grant.ts";
import { logLine } from "../../../durable-objects/shell/log-line.ts";
import type { Environment } from "../../bindings/environment.ts";
import { directory, locks, priorityQueue, queueLobby, signalLog } from "../../bindings/objects.ts";

/** Maximum number of ecosystems that one call closes: each costs a call of its log, of its lobby and of each of its queues. */
const MAX_ECOSYSTEMS = 50;

/**
 * Closes every link, stream and channel that a token opened in these ecosystems. The token cannot open another: opening
 * one asks the directory each time.
 *
 * @throws when a log or a queue could not be reached; the token is deleted all the same
 */
export async function closeSockets(env: Environment, token: string, ecosystems: readonly string[]): Promise<void> {
  await Promise.all(
    ecosystems.map(async (name) => {
      const { queues, locking } = await directory(env).known(name);
      await Promise.all([
        signalLog(env, name).closeToken(token),
        queueLobby(env, name).closeToken(token),
        // An ecosystem without locks has no channel for them, and must not get an object.
        locking ? locks(env, name).closeToken(token) : undefined,
        ...queues.map((queue) => priorityQueue(env, name, queue.name).closeToken(token)),
      ]);
    }),
  );
}

/**
 * Closes the sockets of a deleted token in all its ecosystems. Where these are many, or where a call fails, the next
 * minute's round closes them: the directory remembers deleted tokens.
 */
export async function closeSocketsOf(env: Environment, { id, ecosystems }: Pick<Grant, "id" | "ecosystems">) {
  const names = ecosystems.includes("*") ? await allEcosystems(env) : ecosystems;
  if (names.length > MAX_ECOSYSTEMS) return;
  try {
    await closeSockets(env, id, names);
  } catch (error) {
    // They will be within a minute.
    logLine("warn", "sockets-not-closed", { token: id, error });
  }
}

async function allEcosystems(env: Environment): Promise<string[]> {
  const [known, watched] = await Promise.all([directory(env).ecosystems(), directory(env).watched()]);
  return [...new Set([...known.map(({ name }) => name), ...watched])];
}
