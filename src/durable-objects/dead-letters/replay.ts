import type { DeadLetter } from "../../core/dead-letters/dead-letter.ts";
import { givenId } from "../../core/dead-letters/owner.ts";
import type { ReplayPlan } from "../../core/dead-letters/replay-plan.ts";
import { HOSTS_QUEUE } from "../../core/hosts/command-queue.ts";
import { type Problem, problem } from "../../core/problem/problem.ts";
import type { CallAnswer, EnqueueAnswer } from "../../core/queue/api.ts";
import { breakerOpen } from "../../core/queue/breaker-status.ts";
import { noResponder, problemOfCall } from "../../core/queue/call-problems.ts";
import type { NewTask } from "../../core/queue/task.ts";
import type { TaskAction, TaskActionAnswer } from "../../core/queue/task-action.ts";
import type { Redelivery } from "../../core/webhooks/delivery.ts";
import type { WatchCalls } from "../shell/attention-nudge.ts";
import { hex, sha256 } from "../shell/digest.ts";
import { logLine } from "../shell/log-line.ts";
import type { AppendCalls, RelayBindings } from "../shell/outbox-relay.ts";
import { type Namespace, objectNamed } from "../shell/ports.ts";
import { type ProjectionBindings, projectionOf } from "../shell/projection-ports.ts";

/** Time limit for the answer of a host that is asked to replay, in milliseconds. */
const HOST_MS = 10_000;

/** Bindings to the objects that process dead letters again. */
export interface ReplayBindings extends RelayBindings, ProjectionBindings {
  readonly SIGNAL_LOG: Namespace<AppendCalls & WatchCalls>;
  readonly PRIORITY_QUEUE: Namespace<{
    applyAction(action: TaskAction): Promise<TaskActionAnswer>;
    enqueue(tasks: readonly NewTask[]): Promise<EnqueueAnswer>;
    call(task: NewTask, timeoutMs: number, requireResponder: boolean): Promise<CallAnswer>;
  }>;
  readonly QUEUE_LOBBY: Namespace<{ beginForWorkers(queue: string): Promise<boolean> }>;
  readonly WEBHOOKS: Namespace<{
    redeliver(delivery: Redelivery): Promise<"waiting" | "known" | "unknown_endpoint" | "disabled" | "full">;
  }>;
}

type Elsewhere = Exclude<ReplayPlan, { how: "append" | "impossible" }>;

/** Turns an interrupted replay into a problem: whether it had its effect is unknown, and repeating it finds out. */
export async function outcomeOf(
  ecosystem: string,
  work: () => Promise<"replayed" | "already" | Problem>,
): Promise<"replayed" | "already" | Problem> {
  try {
    return await work();
  } catch (error) {
    logLine("warn", "replay-interrupted", { ecosystem, object: "dead-letters", error });
    return problem(
      "replay-interrupted",
      503,
      "The result of the replay is unknown",
      "Replay the dead letter again: its effect happens once.",
    );
  }
}

/**
 * Asks another object, or a host, to process a dead letter again. Each recognises the id of the dead letter, so a call
 * that is repeated because its answer was lost has no second effect.
 */
export function carryOutReplay(
  plan: Elsewhere,
  deadLetter: DeadLetter,
  env: ReplayBindings,
  ecosystem: string,
): Promise<"replayed" | "already" | Problem> {
  switch (plan.how) {
    case "reprocess":
      return reprocess(plan, env, ecosystem);
    case "requeue":
      return requeue(plan, env, ecosystem);
    case "redeliver":
      return redeliver(plan, env, ecosystem);
    case "ask_host":
      return askHost(plan, deadLetter, env, ecosystem);
  }
}

async function reprocess(
  { projection, seq, part }: Extract<Elsewhere, { how: "reprocess" }>,
  env: ReplayBindings,
  eco: string,
) {
  const answer = await projectionOf(env, projection, eco).reprocess(seq, part);
  switch (answer.outcome) {
    case "taken":
      return "replayed";
    case "known":
      return "already";
    case "gone":
      return conflict(
        `The log does not hold the signal ${seq} any more, so nothing can follow from it. Discard the dead letter.`,
      );
    case "failed":
      return problem("replay-failed", 409, "The replay failed again", answer.error);
  }
}

async function requeue(plan: Extract<Elsewhere, { how: "requeue" }>, env: ReplayBindings, eco: string) {
  const queue = objectNamed(env.PRIORITY_QUEUE, `${eco}/${plan.queue}`, env);
  const answer = await queue.applyAction({ action: "retry", taskId: plan.taskId });
  if ("overloaded" in answer) return busy(answer.retry_after_ms);
  if (!("conflict" in answer)) return "replayed";
  if (answer.conflict === "unfinished" || answer.conflict === "finished") return "already";
  if (answer.conflict === "full") return full(plan.queue);
  // The queue forgets an ended task after a day: the task is enqueued again, under its old id.
  const put = await queue.enqueue([plan.task]);
  if ("overloaded" in put) return busy(put.retry_after_ms);
  return "full" in put ? full(plan.queue) : "replayed";
}

async function redeliver({ delivery }: Extract<Elsewhere, { how: "redeliver" }>, env: ReplayBindings, eco: string) {
  const answer = await objectNamed(env.WEBHOOKS, eco, env).redeliver(delivery);
  switch (answer) {
    case "waiting":
      return "replayed";
    case "known":
      return "already";
    case "unknown_endpoint":
      return conflict(`No webhook endpoint "${delivery.endpoint}". Add it, or discard the dead letter.`);
    case "disabled":
      return conflict(`The endpoint ${delivery.endpoint} is switched off. Switch it on, then replay again.`);
    case "full":
      return conflict(
        `The endpoint ${delivery.endpoint} has the maximum number of pending deliveries. Try again later.`,
      );
  }
}

async function askHost(
  { host, type }: Extract<Elsewhere, { how: "ask_host" }>,
  deadLetter: DeadLetter,
  env: ReplayBindings,
  eco: string,
) {
  const queue = objectNamed(env.PRIORITY_QUEUE, `${eco}/${HOSTS_QUEUE}`, env);
  // The id names the dead letter and its attempt: repeated after a crash it is the same call, after a failure another.
  const taskId = `replay.${await digest(deadLetter.id)}.${deadLetter.attempts}`;
  const task: NewTask = {
    taskId,
    recipient: host,
    type,
    // The host knows what it gave up by the id that it gave.
    payloadJson: JSON.stringify({ ...deadLetter, id: givenId(deadLetter) }),
    sender: "ganglion/dead-letters",
    priority: 3,
    delayMs: 0,
    maxAttempts: 1,
    timeoutMs: null,
    deadlineMs: HOST_MS,
    caller: "dead-letters",
    cause: null,
  };
  // The first call of a host begins the queue. A host that waited for that is on its way to the queue.
  const hostWaited = await objectNamed(env.QUEUE_LOBBY, eco, env).beginForWorkers(HOSTS_QUEUE);
  const answer = await queue.call(task, HOST_MS, !hostWaited);
  if ("overloaded" in answer) return busy(answer.retry_after_ms);
  if ("refused" in answer) {
    if (answer.refused === "breaker_open") return breakerOpen(answer);
    return answer.refused === "full" ? full(HOSTS_QUEUE) : noResponder(host);
  }
  if ("pending" in answer)
    return problem(
      "call-timed-out",
      504,
      "The host did not answer in time",
      "Replay the dead letter again to get the result.",
    );
  if (answer.outcome === "complete") return "replayed";
  return problemOfCall({ taskId, outcome: answer.outcome, error: answer.error, worker: answer.responder });
}

const conflict = (detail: string) =>
  problem("replay-impossible", 409, "The dead letter cannot be replayed now", detail);
const full = (queue: string) =>
  problem(
    "queue-full",
    429,
    "The queue is full",
    `The queue ${queue} holds its maximum number of tasks. Try again later.`,
  );
const busy = (retryAfterMs: number) =>
  problem("overloaded", 503, "Too much at once", "Try again in a moment.", { retry_after_ms: retryAfterMs });

/** Ids of dead letters may be longer than ids of tasks, and hold other characters. */
async function digest(text: string): Promise<string> {
  return hex((await sha256(text)).slice(0, 12));
}
