import type { LeasedTask } from "../../core/queue/api.ts";
import type { LockOptions } from "../locks/acquire-waiting.ts";
import type { KeptLock } from "../locks/locks-over.ts";

export interface TaskContext {
  /** Aborted when the task is cancelled or its lease is lost: another worker may have the task, and no result is sent. */
  readonly signal: AbortSignal;
  /** Says what shows that the task is done, any JSON of 16 KiB at most, for a task that must prove it: the last call counts. */
  readonly evidence: (value: unknown) => void;
  /**
   * Does work while a lock is held, which is renewed; over a channel that the worker keeps for locks, or over HTTP where there
   * is none. `signal` of the lock is aborted when the lock is lost, and when that of the task is.
   *
   * @throws what the work throws; LockNotAvailable where the lock is not to be had; the reason of the task's `signal`
   */
  readonly withLock: <Result>(
    name: string,
    options: TaskLockOptions,
    work: (lock: KeptLock) => Promise<Result> | Result,
  ) => Promise<Result>;
}

/** As {@link LockOptions}. By default the owner is this attempt, the TTL 30 s, and the lock is held for the task. */
export type TaskLockOptions = Partial<LockOptions>;

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
