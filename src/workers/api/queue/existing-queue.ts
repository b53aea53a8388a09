import { nearestFew } from "../../../core/problem/nearest.ts";
import type { Environment } from "../../bindings/environment.ts";
import { directory, priorityQueue } from "../../bindings/objects.ts";
import { notFound } from "../http/refusal.ts";

/** For so long the directory is not asked again about a queue that exists. Deleting a queue is rare. */
const REMEMBER_MS = 60_000;
const MAX_REMEMBERED = 10_000;
/** Queues that exist, until when; one list for each isolate of the Worker. */
const known = new Map<string, number>();

/**
 * The object of a queue that exists. Calling the object of any other queue would make one, with a database of its own, for
 * each name that somebody mistypes.
 *
 * @returns `undefined` where no queue has this name
 */
export async function findQueue(env: Environment, ecosystem: string, queue: string) {
  const name = `${ecosystem}/${queue}`;
  const nowMs = Date.now();
  if ((known.get(name) ?? 0) < nowMs) {
    if (!(await directory(env).hasQueue(ecosystem, queue))) {
      known.delete(name);
      return undefined;
    }
    if (known.size >= MAX_REMEMBERED) known.clear();
    known.set(name, nowMs + REMEMBER_MS);
  }
  return priorityQueue(env, ecosystem, queue);
}

/** The queue was deleted. Other isolates follow within {@link REMEMBER_MS}. */
export const forgetQueue = (ecosystem: string, queue: string): boolean => known.delete(`${ecosystem}/${queue}`);

/** The object of a queue that exists. @throws Refusal where no queue has this name */
export async function existingQueue(env: Environment, ecosystem: string, queue: string) {
  const found = await findQueue(env, ecosystem, queue);
  if (found === undefined) {
    const names = (await directory(env).queues(ecosystem)).map(({ name }) => name);
    const near = nearestFew(queue, names);
    const meant = near.length === 0 ? "" : ` Did you mean ${near.join(", ")}?`;
    throw notFound(
      `No queue "${queue}" in the ecosystem "${ecosystem}".${meant} A queue begins with its first task, or by PUT. ` +
        "List queues: GET /v1/{eco}/queues",
      near,
    );
  }
  return found;
}
