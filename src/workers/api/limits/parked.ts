import type { Limit } from "../../../core/limits/api.ts";
import type { Environment } from "../../bindings/environment.ts";
import { limits, priorityQueue } from "../../bindings/objects.ts";
import { MAX_QUEUES } from "../attention/look.ts";

/**
 * Says of closed limits how many tasks are parked for them: the queues know that, and limits only tell queues what is closed.
 * While none is closed, no queue is asked.
 */
export async function withParked(
  env: Environment,
  ecosystem: string,
  all: readonly Limit[],
): Promise<readonly Limit[]> {
  if (all.every(({ state }) => state !== "closed")) return all;
  const queues = (await limits(env, ecosystem).watchers()).slice(0, MAX_QUEUES);
  const asked = await Promise.all(queues.map((queue) => priorityQueue(env, ecosystem, queue).status()));
  const parked = new Map<string, number>();
  for (const { limit, parked: tasks = 0 } of asked.flatMap(({ closed_limits = [] }) => closed_limits))
    parked.set(limit, (parked.get(limit) ?? 0) + tasks);
  return all.map((limit) => (limit.state === "closed" ? { ...limit, parked: parked.get(limit.name) ?? 0 } : limit));
}
