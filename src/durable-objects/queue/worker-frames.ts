import { type Problem, problem } from "../../core/problem/problem.ts";
import { admitTask, jsonOf, taskOfCall } from "../../core/queue/task-input.ts";
import type { EnqueueResult, TaskQueue, TransitionResult } from "../../core/queue/task-queue.ts";
import type { WorkerFrame } from "../../core/queue/work-frames.ts";
import { formatTimestamp } from "../../core/signals/timestamp.ts";
import type { Connection } from "./connection.ts";
import { operationOf, type QueueOperation } from "./operation.ts";
import { channelCaller, type PendingCalls, refusedCall } from "./pending-calls.ts";
import { OVERLOADED, queueFull } from "./refusals.ts";

const TOO_MUCH = problem("overloaded", 503, "Too much at once", "the queue could not take it; send it again");
const NO_SCOPE = problem("no-scope", 403, "The token lacks the scope", "This call needs the scope tasks:write.");

type Frame<Type extends WorkerFrame["type"]> = Extract<WorkerFrame, { type: Type }>;
/** Frames that are a change of the queue; `ready` and `cancel` are the sockets' own business. */
export type ChangingFrame = Exclude<WorkerFrame, { type: "ready" | "cancel" }>;

/** What a frame wants changed, with its answers. `undefined`: it was refused, and the other end told. */
export function changeByFrame(
  connection: Connection,
  frame: ChangingFrame,
  calls: PendingCalls,
): QueueOperation | undefined {
  switch (frame.type) {
    case "complete":
      return settling(connection, frame.tasks, (queue, { task_id, lease_id, result }, nowMs) => {
        const resultJson = jsonOf(result);
        if (typeof resultJson === "string") return queue.complete(task_id, lease_id, resultJson, nowMs);
        // Trying again would give the same result: it fails for good, and says why.
        return queue.fail(task_id, lease_id, `the result cannot be kept: ${resultJson.message}`, false, nowMs);
      });
    case "fail":
      return settling(connection, frame.tasks, (queue, { task_id, lease_id, error, retry }, nowMs) =>
        queue.fail(task_id, lease_id, error, retry, nowMs),
      );
    case "extend":
      return settling(connection, frame.tasks, (queue, { task_id, lease_id, lease_ms }, nowMs) =>
        queue.extend(task_id, lease_id, lease_ms, nowMs),
      );
    case "release":
      return settling(connection, frame.tasks, (queue, { task_id, lease_id }, nowMs) =>
        queue.release(task_id, lease_id, nowMs),
      );
    case "enqueue":
      return enqueueing(connection, frame);
    case "call":
      return calling(connection, frame, calls);
  }
}

/** Whether this end may queue tasks, call, and call off; told where it may not. */
export function mayAsk(connection: Connection, batch: number | null): boolean {
  if (!connection.mayAsk) refuseFrame(connection, batch, NO_SCOPE);
  return connection.mayAsk;
}

export function refuseFrame(
  connection: Connection,
  batch: number | null,
  wrong: Problem,
  more: { retry_after_ms?: number } = {},
): void {
  connection.say(JSON.stringify({ type: "refused", batch, problem: wrong, ...more }));
}

export const refuseForNow = (connection: Connection, batch: number | null) =>
  refuseFrame(connection, batch, TOO_MUCH, { retry_after_ms: OVERLOADED.retry_after_ms });

function settling<Item extends { task_id: string; lease_id: string }>(
  connection: Connection,
  items: readonly Item[],
  settle: (queue: TaskQueue, item: Item, nowMs: number) => TransitionResult,
): QueueOperation {
  const change = operationOf(
    (queue, nowMs) => items.map((item) => settle(queue, item, nowMs)),
    (outcomes) => {
      const done: string[] = [];
      const conflict: string[] = [];
      outcomes.forEach((outcome, place) => {
        const { task_id, lease_id } = items[place] as Item;
        const names = `"task_id":${JSON.stringify(task_id)},"lease_id":${JSON.stringify(lease_id)}`;
        if (!outcome.ok) conflict.push(`{${names},"reason":"${outcome.reason}"}`);
        else if (outcome.expiresMs === undefined) done.push(`{${names},"status":"${outcome.status}"}`);
        else done.push(`{${names},"status":"running","lease_expires_at":"${formatTimestamp(outcome.expiresMs)}"}`);
      });
      if (done.length > 0) connection.say(`{"type":"done","tasks":[${done.join(",")}]}`);
      if (conflict.length > 0) connection.say(`{"type":"conflict","tasks":[${conflict.join(",")}]}`);
    },
    () => refuseForNow(connection, null),
  );
  return { ...change, weight: items.length };
}

function enqueueing(connection: Connection, { batch, tasks: inputs }: Frame<"enqueue">): QueueOperation | undefined {
  if (!mayAsk(connection, batch)) return undefined;
  const admissions = inputs.map((input, place) => admitTask(input, `/tasks/${place}`));
  const errors = admissions.flatMap((admission) => (admission.ok ? [] : admission.errors));
  if (errors.length > 0) {
    const title = "Some tasks are not valid; none was kept";
    refuseFrame(connection, batch, problem("invalid-task", 422, title, undefined, { errors: errors.slice(0, 100) }));
    return undefined;
  }
  const tasks = admissions.flatMap((admission) => (admission.ok ? [admission.task] : []));
  return operationOf<EnqueueResult>(
    (queue, nowMs) => queue.enqueue(tasks, nowMs),
    (outcome) => {
      if ("full" in outcome) {
        refuseFrame(connection, batch, queueFull(outcome.capacity), { retry_after_ms: OVERLOADED.retry_after_ms });
        return;
      }
      const receipts = outcome.receipts.map(({ taskId, status }) => ({ task_id: taskId, status }));
      connection.say(JSON.stringify({ type: "enqueued", batch, tasks: receipts }));
    },
    () => refuseForNow(connection, batch),
    tasks,
  );
}

function calling(connection: Connection, frame: Frame<"call">, calls: PendingCalls): QueueOperation | undefined {
  const { correlation_id, payload, task_type } = frame;
  if (!connection.mayAsk) {
    connection.say(refusedCall(correlation_id, NO_SCOPE));
    return undefined;
  }
  const payloadJson = jsonOf(payload);
  if (typeof payloadJson !== "string") {
    const wrong = problem("invalid-call", 422, "The call is not valid", `/payload: ${payloadJson.message}`);
    connection.say(refusedCall(correlation_id, wrong));
    return undefined;
  }
  const caller = channelCaller(connection.id);
  const task = taskOfCall({ ...frame, type: task_type }, correlation_id, payloadJson, caller);
  return calls.overChannel(task, connection.id, frame.require_responder);
}
