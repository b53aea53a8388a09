import { isBoundTo, notBound } from "../../core/access/bindings.ts";
import { admitRuledTask } from "../../core/policy/accept-rule.ts";
import { type Problem, problem } from "../../core/problem/problem.ts";
import { queueFull } from "../../core/queue/call-problems.ts";
import type { EnqueueResult, TransitionResult } from "../../core/queue/task-answers.ts";
import { jsonOf, taskOfCall } from "../../core/queue/task-input.ts";
import type { TaskQueue } from "../../core/queue/task-queue.ts";
import { evidenceJson, resultJson } from "../../core/queue/task-result.ts";
import type { WorkerFrame } from "../../core/queue/work-frames.ts";
import { formatTimestamp } from "../../core/signals/timestamp.ts";
import { TOO_MANY_REFUSALS } from "../../core/wire/refusal-meter.ts";
import type { Connection } from "./connection.ts";
import type { FrameName } from "./frame-name.ts";
import { operationOf, type QueueOperation } from "./operation.ts";
import { channelCaller, type PendingCalls, refusedCall } from "./pending-calls.ts";
import { OVERLOADED } from "./refusals.ts";
import { worksFor } from "./worker-rights.ts";

const TOO_MUCH = problem("overloaded", 503, "The queue is overloaded", "Nothing of the frame was kept: send it again.");
const NO_SCOPE = problem(
  "no-scope",
  403,
  "The token lacks the scope",
  "This call needs the scope tasks:write, and in the queue hosts the scope hosts:command.",
);

type Frame<Type extends WorkerFrame["type"]> = Extract<WorkerFrame, { type: Type }>;
/** Frames that change the queue. `ready` and `cancel` are handled by {@link WorkSockets}. */
type ChangingFrame = Exclude<WorkerFrame, { type: "ready" | "cancel" }>;

/** The operation that a frame asks for, with its answers. `undefined`: the frame was refused, and so answered. */
export function operationOfFrame(
  connection: Connection,
  frame: ChangingFrame,
  calls: PendingCalls,
): QueueOperation | undefined {
  switch (frame.type) {
    case "complete":
      return transitionOperation(connection, frame, (queue, { task_id, lease_id, result, evidence }, nowMs) => {
        const kept = resultJson(result);
        const beside = evidenceJson(evidence);
        if ("error" in beside) return queue.fail(task_id, lease_id, beside.error, false, nowMs);
        if ("json" in kept) return queue.complete(task_id, lease_id, kept.json, nowMs, beside.json);
        // Another attempt would give the same result: the task fails for good.
        return queue.fail(task_id, lease_id, kept.error, false, nowMs);
      });
    case "fail":
      return transitionOperation(connection, frame, (queue, { task_id, lease_id, error, retry }, nowMs) =>
        queue.fail(task_id, lease_id, error, retry, nowMs),
      );
    case "extend":
      return transitionOperation(connection, frame, (queue, { task_id, lease_id, lease_ms }, nowMs) =>
        queue.extend(task_id, lease_id, lease_ms, nowMs),
      );
    case "release":
      return transitionOperation(connection, frame, (queue, { task_id, lease_id }, nowMs) =>
        queue.release(task_id, lease_id, nowMs),
      );
    case "enqueue":
      return enqueueOperation(connection, frame);
    case "call":
      return callOperation(connection, frame, calls);
  }
}

/** Whether the connection may queue and cancel tasks and make calls. A connection that may not is sent a refusal. */
export function mayWrite(connection: Connection, batch: number | null): boolean {
  if (!connection.mayWrite) refuseFrame(connection, { batch, frame: batch === null ? "cancel" : "enqueue" }, NO_SCOPE);
  return connection.mayWrite;
}

export function refuseFrame(
  connection: Connection,
  name: FrameName,
  wrong: Problem,
  more: { retry_after_ms?: number } = {},
): void {
  const frame = JSON.stringify({ type: "refused", ...name, problem: wrong, ...more });
  if (connection.refusals.admit(frame.length, Date.now())) connection.send(frame);
  else connection.socket.close(1008, TOO_MANY_REFUSALS);
}

export const refuseForNow = (connection: Connection, name: FrameName) =>
  refuseFrame(connection, name, TOO_MUCH, { retry_after_ms: OVERLOADED.retry_after_ms });

function transitionOperation<Item extends { task_id: string; lease_id: string }>(
  connection: Connection,
  { type, tasks: items }: { readonly type: string; readonly tasks: readonly Item[] },
  transition: (queue: TaskQueue, item: Item, nowMs: number) => TransitionResult,
): QueueOperation {
  const operation = operationOf(
    (queue, nowMs) =>
      items.map((item): TransitionResult => {
        const recipient = queue.find(item.task_id)?.recipient;
        // A lease of another recipient is none that this connection could hold.
        if (recipient !== undefined && !worksFor(connection.recipients, recipient))
          return { ok: false, reason: "lost" };
        const result = transition(queue, item, nowMs);
        if (result.ok) connection.noteRead();
        return result;
      }),
    (results) => {
      const done: string[] = [];
      const conflict: string[] = [];
      results.forEach((result, index) => {
        const { task_id, lease_id } = items[index] as Item;
        const names = `"task_id":${JSON.stringify(task_id)},"lease_id":${JSON.stringify(lease_id)}`;
        if (!result.ok) conflict.push(`{${names},"reason":"${result.reason}"}`);
        else if (result.expiresMs === undefined) done.push(`{${names},"status":"${result.status}"}`);
        else done.push(`{${names},"status":"running","lease_expires_at":"${formatTimestamp(result.expiresMs)}"}`);
      });
      if (done.length > 0) connection.send(`{"type":"done","tasks":[${done.join(",")}]}`);
      if (conflict.length > 0) connection.send(`{"type":"conflict","tasks":[${conflict.join(",")}]}`);
    },
    () => {
      const tasks = items.map(({ task_id, lease_id }) => ({ task_id, lease_id }));
      refuseForNow(connection, { batch: null, frame: type, tasks });
    },
  );
  return { ...operation, weight: items.length };
}

function enqueueOperation(
  connection: Connection,
  { batch, tasks: inputs }: Frame<"enqueue">,
): QueueOperation | undefined {
  if (!mayWrite(connection, batch)) return undefined;
  const name = { batch, frame: "enqueue" };
  const admissions = inputs.map((input, index) => admitRuledTask(input, `/tasks/${index}`));
  const errors = admissions.flatMap((admission) => (admission.ok ? [] : admission.errors));
  if (errors.length > 0) {
    const title = "Some tasks are invalid; none was queued";
    refuseFrame(connection, name, problem("invalid-task", 422, title, undefined, { errors: errors.slice(0, 100) }));
    return undefined;
  }
  const tasks = admissions.flatMap((admission) => (admission.ok ? [admission.task] : []));
  const other = tasks.find(({ recipient }) => !isBoundTo(connection.hosts, recipient));
  if (other !== undefined) {
    refuseFrame(connection, name, notBound("hosts", connection.hosts, other.recipient));
    return undefined;
  }
  return operationOf<EnqueueResult>(
    (queue, nowMs) => queue.enqueue(tasks, nowMs),
    (outcome) => {
      if ("full" in outcome) {
        refuseFrame(connection, name, queueFull(outcome.capacity), { retry_after_ms: OVERLOADED.retry_after_ms });
        return;
      }
      const receipts = outcome.receipts.map(({ taskId, status }) => ({ task_id: taskId, status }));
      connection.send(JSON.stringify({ type: "enqueued", batch, tasks: receipts }));
    },
    () => refuseForNow(connection, name),
    tasks,
  );
}

function callOperation(connection: Connection, frame: Frame<"call">, calls: PendingCalls): QueueOperation | undefined {
  const { correlation_id, payload, task_type } = frame;
  if (!connection.mayWrite) {
    connection.send(refusedCall(correlation_id, NO_SCOPE));
    return undefined;
  }
  if (!isBoundTo(connection.hosts, frame.recipient)) {
    connection.send(refusedCall(correlation_id, notBound("hosts", connection.hosts, frame.recipient)));
    return undefined;
  }
  const payloadJson = jsonOf(payload);
  if (typeof payloadJson !== "string") {
    const wrong = problem("invalid-call", 422, "The call is invalid", `/payload ${payloadJson.message}.`);
    connection.send(refusedCall(correlation_id, wrong));
    return undefined;
  }
  const caller = channelCaller(connection.id);
  const task = taskOfCall({ ...frame, type: task_type }, correlation_id, payloadJson, caller);
  return calls.callOverChannel(task, connection.id, frame.require_responder);
}
