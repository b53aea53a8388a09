import type { Settlement, SettlementAnswer } from "../../core/queue/api.ts";
import type { Lease, NewTask } from "../../core/queue/task.ts";
import type { Settled, TaskQueue } from "../../core/queue/task-queue.ts";
import { formatTimestamp } from "../../core/signals/timestamp.ts";
import type { TaskStore } from "./task-store.ts";

export interface SettlementOutcome {
  readonly answer: SettlementAnswer;
  /** The lease of a running task that was cancelled: its holder is to be told. */
  readonly cancelled?: Lease | undefined;
}

/** Does what was asked about one task. Belongs into a transaction. */
export function settle(asked: Settlement, queue: TaskQueue, store: TaskStore, nowMs: number): SettlementOutcome {
  if (asked.action === "retry") return { answer: tryAgain(asked.taskId, queue, store, nowMs) };
  const settled = apply(asked, queue, nowMs);
  if (!settled.ok) return { answer: { conflict: settled.reason } };
  const { status, expiresMs, holder } = settled;
  const answer = { task_id: asked.taskId, status };
  return {
    answer: expiresMs === undefined ? answer : { ...answer, lease_expires_at: formatTimestamp(expiresMs) },
    ...(holder === undefined || holder === null ? {} : { cancelled: holder }),
  };
}

function apply(asked: Exclude<Settlement, { action: "retry" }>, queue: TaskQueue, nowMs: number): Settled {
  switch (asked.action) {
    case "complete":
      return queue.complete(asked.taskId, asked.leaseId, asked.resultJson, nowMs);
    case "fail":
      return queue.fail(asked.taskId, asked.leaseId, asked.error, asked.retry, nowMs);
    case "extend":
      return queue.extend(asked.taskId, asked.leaseId, asked.leaseMs, nowMs);
    case "release":
      return queue.giveBack(asked.taskId, asked.leaseId, nowMs);
    case "cancel":
      return queue.cancel(asked.taskId, nowMs);
  }
}

/** A task that has failed for good begins anew, under its old id and with all its attempts. */
function tryAgain(taskId: string, queue: TaskQueue, store: TaskStore, nowMs: number): SettlementAnswer {
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
