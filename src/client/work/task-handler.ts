import type { LeasedTask } from "../../core/queue/api.ts";

export interface TaskContext {
  /** Aborted when the task is cancelled or its lease is lost: another worker may have the task, and no result is sent. */
  readonly signal: AbortSignal;
  /** Says what shows that the task is done, any JSON of 16 KiB at most, for a task that must prove it: the last call counts. */
  readonly evidence: (value: unknown) => void;
}

/** Returns the result of the task, or throws: then the attempt has failed, and the queue keeps the error's message. */
export type TaskHandler = (task: LeasedTask, context: TaskContext) => unknown;

/** Thrown by a handler: the task fails for good, without another attempt. */
export class TaskRefused extends Error {
  override readonly name = "TaskRefused";
}

/** Thrown by a handler: the task is returned as if it had not been begun. Another worker may have the task at once. */
export class TaskReleased extends Error {
  override readonly name = "TaskReleased";
}
