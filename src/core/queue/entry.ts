import type { FinishedTask, Lease, NewTask, Outcome, Task, TaskEvent } from "./task.ts";

/** An unfinished task as the queue holds it in memory. */
export interface Entry extends Omit<Task, "history"> {
  payloadJson: string | undefined;
  readyMs: number;
  attempt: number;
  leases: number;
  lease: Lease | null;
  waitedMs: number;
  ranMs: number;
  history: readonly TaskEvent[];
  /** `finished`: not in the queue any more. */
  state: "ready" | "delayed" | "leased" | "finished";
  dueMs: number;
  /** Whether storage has the task. */
  stored: boolean;
}

/** The entry of a task that was read from storage. */
export function storedEntry(task: Task): Entry {
  // A task without a delay is ready at once, even if the clock was set back since. The others become ready by their timer.
  const state = task.lease !== null ? "leased" : task.readyMs === task.createdMs ? "ready" : "delayed";
  return { ...task, state, dueMs: Number.POSITIVE_INFINITY, stored: true };
}

export function newEntry(task: NewTask, seq: number, taskId: string, maxAttempts: number, nowMs: number): Entry {
  return {
    seq,
    taskId,
    recipient: task.recipient,
    type: task.type,
    sender: task.sender,
    priority: task.priority,
    createdMs: nowMs,
    maxAttempts: task.maxAttempts ?? maxAttempts,
    timeoutMs: task.timeoutMs,
    deadlineAtMs: task.deadlineMs === null ? null : nowMs + task.deadlineMs,
    caller: task.caller,
    cause: task.cause,
    payloadJson: task.payloadJson,
    readyMs: nowMs + task.delayMs,
    attempt: 0,
    leases: 0,
    lease: null,
    waitedMs: 0,
    ranMs: 0,
    history: [],
    state: task.delayMs > 0 ? "delayed" : "ready",
    dueMs: Number.POSITIVE_INFINITY,
    stored: false,
  };
}

/** The record of a finished task. @param lease - the lease under which the task ended; `null`: no worker held it */
export function recordOf(
  entry: Entry,
  lease: Lease | null,
  end: { outcome: Outcome; finishedMs: number; error: string | null; resultJson: string | null },
): FinishedTask {
  return {
    seq: entry.seq,
    taskId: entry.taskId,
    recipient: entry.recipient,
    type: entry.type,
    sender: entry.sender,
    priority: entry.priority,
    createdMs: entry.createdMs,
    maxAttempts: entry.maxAttempts,
    timeoutMs: entry.timeoutMs,
    deadlineAtMs: entry.deadlineAtMs,
    caller: entry.caller,
    cause: entry.cause,
    outcome: end.outcome,
    finishedMs: end.finishedMs,
    attempt: entry.attempt,
    resultJson: end.resultJson,
    error: end.error,
    worker: lease?.worker ?? null,
    leaseId: lease?.id ?? null,
    waitedMs: entry.waitedMs,
    ranMs: entry.ranMs,
    history: entry.history,
  };
}

/** When a lease that starts or is extended now expires. The task's own time limit counts from the start of the attempt. */
export function expiry({ timeoutMs }: Entry, startedMs: number, nowMs: number, leaseMs: number): number {
  return Math.min(nowMs + leaseMs, timeoutMs === null ? Number.POSITIVE_INFINITY : startedMs + timeoutMs);
}
