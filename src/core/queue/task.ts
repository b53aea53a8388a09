/** Where a task stands, as everybody outside sees it (R39). */
export type TaskStatus = "queued" | "running" | "complete" | "failed";

/** How a task came to its end. All but `complete` are shown as the status `failed`. */
export type Outcome = "complete" | "failed" | "cancelled" | "expired" | "dropped";

/** Who may take a task: a recipient's name, or anyone. */
export const ANYONE = "*";
export const MOST_URGENT = 1;
export const LEAST_URGENT = 10;

/** The signal that led to a task. What follows from the task goes back to the same signal. */
export interface TaskCause {
  /** Id of the signal. */
  readonly id: string;
  /** W3C traceparent that the task's own signals and its worker continue. */
  readonly trace?: string;
  /** Length of the chain of causes above the task, from 1. */
  readonly depth: number;
}

/** A task as it passed the border. Times are durations, in milliseconds. */
export interface NewTask {
  /** `undefined`: the queue gives it one. */
  readonly taskId: string | undefined;
  readonly recipient: string;
  readonly type: string;
  readonly payloadJson: string;
  readonly sender: string | null;
  /** 1, the most urgent, to 10. */
  readonly priority: number;
  /** Not given out before this has passed. */
  readonly delayMs: number;
  /** `undefined`: what the queue's settings say. */
  readonly maxAttempts: number | undefined;
  /** One attempt may run for so long, whatever its lease; `null`: as long as the lease is extended. */
  readonly timeoutMs: number | null;
  /** Has to be given out within this time; `null`: whenever. */
  readonly deadlineMs: number | null;
  /** Whoever waits for the end of it: a connection's name. */
  readonly caller: string | null;
  /** `null`: no signal led to it. */
  readonly cause: TaskCause | null;
}

/** What never changes about a task. Times are milliseconds since the epoch. */
export interface TaskTerms {
  /** Place in the queue's order of arrival. A task that is tried again keeps it. */
  readonly seq: number;
  readonly taskId: string;
  readonly recipient: string;
  readonly type: string;
  readonly sender: string | null;
  readonly priority: number;
  readonly createdMs: number;
  readonly maxAttempts: number;
  readonly timeoutMs: number | null;
  readonly deadlineAtMs: number | null;
  readonly caller: string | null;
  readonly cause: TaskCause | null;
}

export interface Lease {
  readonly id: string;
  /** The connection or call that holds it. */
  readonly holder: string;
  /** Name of the worker, for people. */
  readonly worker: string;
  readonly startedMs: number;
  readonly expiresMs: number;
}

/** One thing that happened to a task. */
export interface TaskEvent {
  readonly atMs: number;
  readonly event: "queued" | "leased" | "returned" | "retry" | "lease_expired" | "timed_out" | Outcome;
  readonly attempt?: number;
  readonly worker?: string;
  readonly error?: string;
}

/** What changes about a task. */
export interface TaskProgress {
  /** Not given out before this time. */
  readonly readyMs: number;
  /** Attempts that count: a lease given back unused does not. */
  readonly attempt: number;
  /** Leases ever given, so that each has a name of its own. */
  readonly leases: number;
  readonly lease: Lease | null;
  /** Time in which it could have been given out and was not, and time that workers held it, over all attempts. */
  readonly waitedMs: number;
  readonly ranMs: number;
  readonly history: readonly TaskEvent[];
}

export interface Task extends TaskTerms, TaskProgress {
  /** `undefined`: only in storage. */
  readonly payloadJson: string | undefined;
}

/** A task that has come to its end. */
export interface FinishedTask extends TaskTerms {
  readonly outcome: Outcome;
  readonly finishedMs: number;
  readonly attempt: number;
  /** Worker and lease of the last attempt, so that a completion that is sent again is recognised. */
  readonly worker: string | null;
  readonly leaseId: string | null;
  readonly resultJson: string | null;
  readonly error: string | null;
  /** As in {@link TaskProgress}. */
  readonly waitedMs: number;
  readonly ranMs: number;
  readonly history: readonly TaskEvent[];
}

/** Kept short: a task that is returned over and over must not grow. */
const MAX_HISTORY = 40;

export function withEvent(history: readonly TaskEvent[], event: TaskEvent): readonly TaskEvent[] {
  // The beginning says where it came from and the end what is the matter; the middle repeats itself.
  if (history.length >= MAX_HISTORY) return [...history.slice(0, 10), ...history.slice(11), event];
  return [...history, event];
}

export function statusOf(outcome: Outcome): TaskStatus {
  return outcome === "complete" ? "complete" : "failed";
}
