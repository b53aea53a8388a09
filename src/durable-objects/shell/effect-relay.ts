import type { DeadLetterRecord } from "../../core/dead-letters/record.ts";
import type { NewTask } from "../../core/queue/task.ts";
import type { Environment } from "../../workers/environment.ts";
import type { EffectOutbox, PendingEffect } from "./effect-outbox.ts";

const SENDER = "ganglion/policy";

/**
 * Hands deeds to the queues, the webhooks and whoever keeps the maintenance.
 *
 * @param bury - takes a deed that its receiver refused for good
 * @returns whether something is left that has to be tried again
 */
export async function relayEffects(
  env: Environment,
  ecosystem: string,
  box: EffectOutbox,
  bury: (letter: DeadLetterRecord) => void,
): Promise<boolean> {
  let left = false;
  for (const receiver of box.receivers()) {
    try {
      for (let batch = box.next(receiver); batch.length > 0; batch = box.next(receiver)) {
        const deeds = batch.map(({ deed }) => deed);
        if (!(await handOver(env, ecosystem, receiver, deeds, bury))) {
          left = true;
          break;
        }
        box.forget(receiver, batch.at(-1)?.number ?? 0);
      }
    } catch (error) {
      console.warn("projection: effects were not taken and will be tried again", receiver, String(error));
      left = true;
    }
  }
  return left;
}

async function handOver(
  env: Environment,
  ecosystem: string,
  receiver: string,
  deeds: readonly PendingEffect[],
  bury: (letter: DeadLetterRecord) => void,
): Promise<boolean> {
  if (receiver === "webhook") return callWebhooks(env, ecosystem, deeds);
  if (receiver === "maintenance") return setMaintenance(env, ecosystem, deeds);
  const queue = receiver.slice("queue/".length);
  const object = env.PRIORITY_QUEUE.get(env.PRIORITY_QUEUE.idFromName(`${ecosystem}/${queue}`));
  const answer = await object.enqueue(deeds.flatMap(taskOf));
  if ("overloaded" in answer) return false;
  if (!("full" in answer)) return true;
  // A full queue takes all or none: one by one, what still has room goes in and the rest is kept aside.
  for (const deed of deeds) {
    const alone = await object.enqueue(taskOf(deed));
    if ("overloaded" in alone) return false;
    if ("full" in alone) bury(refusedTask(deed, queue, alone.capacity));
  }
  return true;
}

function taskOf({ id, effect, cause, trace, depth }: PendingEffect): NewTask[] {
  if (effect.kind !== "enqueue") return [];
  const { recipient, type, payload, priority, taskId, delayMs, maxAttempts, timeoutMs, deadlineMs } = effect;
  return [
    {
      ...{ recipient, type, priority, delayMs, maxAttempts, sender: SENDER, caller: null },
      ...{ taskId: taskId ?? id, payloadJson: JSON.stringify(payload) },
      ...{ timeoutMs: timeoutMs ?? null, deadlineMs: deadlineMs ?? null },
      cause: { id: cause, trace, depth },
    },
  ];
}

function refusedTask(
  { id, effect, cause, trace, depth, rule }: PendingEffect,
  queue: string,
  capacity: number,
): DeadLetterRecord {
  return {
    id: `policy.${id}`,
    kind: "task",
    task: { task_id: id, queue, ...effect, cause, trace, depth },
    error: `rule ${rule}: the queue ${queue} is full, it holds ${capacity} tasks`,
    daemon: SENDER,
  };
}

async function setMaintenance(env: Environment, ecosystem: string, deeds: readonly PendingEffect[]): Promise<boolean> {
  const cache = env.OBSERVATION_CACHE.get(env.OBSERVATION_CACHE.idFromName(ecosystem));
  for (const { effect, rule } of deeds) {
    if (effect.kind !== "maintenance") continue;
    const { enabled, reason } = effect;
    await cache.changeMaintenance({ enabled, reason }, { name: `rule ${rule}`, id: SENDER });
  }
  return true;
}

/** An endpoint that does not exist is nobody who waits: a rule may name one before it is made. */
async function callWebhooks(env: Environment, ecosystem: string, deeds: readonly PendingEffect[]): Promise<boolean> {
  const deliveries = deeds.flatMap(({ id, effect, cause, rule }) =>
    effect.kind === "webhook"
      ? [{ id, endpoint: effect.endpoint, body: JSON.stringify(effect.body), cause, rule }]
      : [],
  );
  await env.WEBHOOKS.get(env.WEBHOOKS.idFromName(ecosystem)).deliver(deliveries);
  return true;
}
