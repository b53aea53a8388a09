import type { FinishedTask, Lease, NewTask, Outcome, Task, TaskEvent } from "./task.ts";

/** A task in the hands of the queue. */
export interface Entry extends Omit<Task, "history"> {
  payloadJson: string | undefined;
  readyMs: number;
  attempt: number;
  leases: number;
  lease: Lease | null;
  waitedMs: number;
  ranMs: number;
  history: readonly TaskEvent[];
  /** `gone`: finished, and out of the queue. */
  place: "waiting" | "delayed" | "held" | "gone";
  dueMs: number;
  /** Whether storage has it. */
  stored: boolean;
}

/** A task that storage had when the object woke. */
export function storedEntry(task: Task): Entry {
  // One that had no delay waits already, whatever the clock says now; the others when time first passes.
  const place = task.lease !== null ? "held" : task.readyMs === task.createdMs ? "waiting" : "delayed";
  return { ...task, place, dueMs: Number.POSITIVE_INFINITY, stored: true };
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
    place: task.delayMs > 0 ? "delayed" : "waiting",
    dueMs: Number.POSITIVE_INFINITY,
    stored: false,
  };
}

/** How a task ended. @param lease - under which it did; `null`: nobody held it */
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

/** When a lease that is given or extended now runs out: the task's own limit counts from when the attempt began. */
export function expiry({ timeoutMs }: Entry, startedMs: number, nowMs: number, leaseMs: number): number {
  return Math.min(nowMs + leaseMs, timeoutMs === null ? Number.POSITIVE_INFINITY : startedMs + timeoutMs);
}
