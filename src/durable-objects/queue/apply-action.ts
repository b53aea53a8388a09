import type { TaskAction, TaskActionAnswer } from "../../core/queue/api.ts";
import type { Lease, NewTask } from "../../core/queue/task.ts";
import type { TaskQueue, TransitionResult } from "../../core/queue/task-queue.ts";
import { formatTimestamp } from "../../core/signals/timestamp.ts";
import type { TaskStore } from "./task-store.ts";

export interface TaskActionOutcome {
  readonly answer: TaskActionAnswer;
  /** The lease of a running task that was cancelled: its holder is to be told. */
  readonly cancelled?: Lease | undefined;
}

/** Does what was asked about one task. Belongs into a transaction. */
export function applyAction(asked: TaskAction, queue: TaskQueue, store: TaskStore, nowMs: number): TaskActionOutcome {
  if (asked.action === "retry") return { answer: tryAgain(asked.taskId, queue, store, nowMs) };
  const settled = apply(asked, queue, nowMs);
  if (!settled.ok) return { answer: { conflict: settled.reason } };
  const { status, expiresMs, cancelled } = settled;
  const answer = { task_id: asked.taskId, status };
  return {
    answer: expiresMs === undefined ? answer : { ...answer, lease_expires_at: formatTimestamp(expiresMs) },
    ...(cancelled === undefined || cancelled === null ? {} : { cancelled }),
  };
}

function apply(asked: Exclude<TaskAction, { action: "retry" }>, queue: TaskQueue, nowMs: number): TransitionResult {
  switch (asked.action) {
    case "complete":
      return queue.complete(asked.taskId, asked.leaseId, asked.resultJson, nowMs);
    case "fail":
      return queue.fail(asked.taskId, asked.leaseId, asked.error, asked.retry, nowMs);
    case "extend":
      return queue.extend(asked.taskId, asked.leaseId, asked.leaseMs, nowMs);
    case "release":
      return queue.release(asked.taskId, asked.leaseId, nowMs);
    case "cancel":
      return queue.cancel(asked.taskId, nowMs);
  }
}

/** A task that has failed for good begins anew, under its old id and with all its attempts. */
function tryAgain(taskId: string, queue: TaskQueue, store: TaskStore, nowMs: number): TaskActionAnswer {
  if (queue.find(taskId) !== undefined) return { conflict: "unfinished" };
  const finished = store.finished(taskId);
  if (finished === undefined) return { conflict: "unknown" };
  const { record, payload } = finished;
  if (record.outcome === "complete") return { conflict: "finished" };
  const { recipient, type, sender, priority, maxAttempts, timeoutMs, deadlineAtMs, createdMs, cause } = record;
  const task: NewTask = {
    ...{ taskId, recipient, type, sender, priority, maxAttempts, timeoutMs, payloadJson: payload, delayMs: 0 },
    deadlineMs: deadlineAtMs === null ? null : deadlineAtMs - createdMs,
    caller: null,
    cause,
  };
  store.forget(taskId);
  if (!("full" in queue.enqueue([task], nowMs))) return { task_id: taskId, status: "queued" };
  store.keep(record, payload, nowMs);
  return { conflict: "full" };
}
