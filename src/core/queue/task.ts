import * as z from "zod";
import type { Writable } from "../collections/writable.ts";
import type { Accept, Proof, Verdict } from "./accept.ts";
import type { AwaitedAnswer, TaskWait } from "./awaited-answer.ts";
import { OUTCOMES } from "./outcomes.ts";

/** Status of a task as callers see it. */
export const TaskStatus = z.enum(["queued", "running", "verifying", "complete", "failed"]);
export type TaskStatus = z.infer<typeof TaskStatus>;

/** How a task ended. The status of all but `complete` is `failed`. */
export const Outcome = z.enum(OUTCOMES);
export type Outcome = z.infer<typeof Outcome>;

/** Recipient of a task that any worker may take. */
export const ANYONE = "*";
export const MOST_URGENT = 1;
export const LEAST_URGENT = 10;

/** The signal that led to a task. Signals that follow from the task name the same signal as their cause. */
export interface TaskCause {
  /** Id of the signal. */
  readonly id: string;
  /** W3C traceparent that the task's own signals and its worker continue. */
  readonly trace?: string;
  /** Length of the chain of causes above the task, from 1. */
  readonly depth: number;
}

/** A validated task that is not in a queue yet. Times are durations, in milliseconds. */
export interface NewTask {
  /** `undefined`: the queue assigns an id. */
  readonly taskId: string | undefined;
  readonly recipient: string;
  readonly type: string;
  readonly payloadJson: string;
  readonly sender: string | null;
  /** 1, the most urgent, to 10. */
  readonly priority: number;
  /** The task cannot be leased before this time has passed. */
  readonly delayMs: number;
  /** `undefined`: the setting of the queue applies. */
  readonly maxAttempts: number | undefined;
  /** Longest time of one attempt, however often its lease is extended; `null`: no limit. */
  readonly timeoutMs: number | null;
  /** The task fails when no worker has taken it within this time; `null`: no limit. */
  readonly deadlineMs: number | null;
  /** Of a call: the connection that waits for the reply. `null`: the task is not a call. */
  readonly caller: string | null;
  /** `null`: no signal led to the task. */
  readonly cause: TaskCause | null;
  /** Skills that a worker must have, sorted; absent: none. */
  readonly needs?: readonly string[];
  /** W3C traceparent that the task continues where no signal led to it; absent: none. */
  readonly trace?: string;
  /** Limits of the ecosystem, sorted: while one of them is closed, nobody is given the task; absent: none. */
  readonly limits?: readonly string[];
  /** How the task proves that it is done; absent: whoever completes it is believed. */
  readonly accept?: Accept;
}

/** The fields of a task that never change. Times are milliseconds since the epoch. */
export interface TaskTerms {
  /** Position in the queue's order of arrival. A task that is retried keeps its position. */
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
  /** As in {@link NewTask}. */
  readonly needs?: readonly string[];
  /** As in {@link NewTask}. */
  readonly trace?: string;
  /** As in {@link NewTask}. */
  readonly limits?: readonly string[];
  /** As in {@link NewTask}. */
  readonly accept?: Accept;
}

/** The terms that few tasks have. */
type RareTerms = Pick<TaskTerms, "needs" | "trace" | "limits" | "accept">;

/** Gives a task the rare terms of another. Spreads in its literal would build each task member by member. */
export function addRareTerms(to: Writable<RareTerms>, from: RareTerms): void {
  if (from.needs !== undefined) to.needs = from.needs;
  if (from.trace !== undefined) to.trace = from.trace;
  if (from.limits !== undefined) to.limits = from.limits;
  if (from.accept !== undefined) to.accept = from.accept;
}

export interface Lease {
  readonly id: string;
  /** The connection or request that holds the lease. */
  readonly holder: string;
  /** Name of the worker, for people. */
  readonly worker: string;
  readonly startedMs: number;
  readonly expiresMs: number;
  /** End of the lease as it is in storage: renewals move only `expiresMs`. */
  readonly storedMs: number;
  /** Longest time that a renewal has given without being stored; 0: all renewals were stored. */
  readonly grantMs: number;
  /** The one grace after a start was given, and the worker has not renewed the lease since. */
  readonly graced: boolean;
}

/** An entry of a task's history. */
export interface TaskEvent {
  readonly atMs: number;
  readonly event:
    | "queued"
    | "leased"
    | "returned"
    | "retry"
    | "lease_expired"
    | "timed_out"
    | "read"
    | "parked"
    | "answered"
    | "verifying"
    | "accepted"
    | "refused"
    | Outcome;
  readonly attempt?: number;
  readonly worker?: string;
  readonly error?: string;
}

/** The fields of an unfinished task that change. */
export interface TaskProgress {
  /** The task cannot be leased before this time. */
  readonly readyMs: number;
  /** Attempts so far. A lease that was released unused does not count. */
  readonly attempt: number;
  /** Leases given so far, the released ones included. */
  readonly leases: number;
  readonly lease: Lease | null;
  /** Time that the task was ready and not leased, over all attempts. */
  readonly waitedMs: number;
  /** Time that workers held the task, over all attempts. */
  readonly ranMs: number;
  readonly history: readonly TaskEvent[];
  /** What the task waits for, without a worker; absent: nothing, or only its delay. */
  readonly waitsFor?: TaskWait | undefined;
  /** Answers to questions that it waited for; absent: none. */
  readonly answers?: readonly AwaitedAnswer[] | undefined;
  /** It was reported complete, and waits to be judged; absent: it does not. */
  readonly proof?: Proof | undefined;
  /** How its last report was judged; absent: none was. */
  readonly verdict?: Verdict | undefined;
  /** The lease under which the report was made that was refused last. */
  readonly refusedLease?: string | undefined;
}

export interface Task extends TaskTerms, TaskProgress {
  /** `undefined`: the payload is only in storage. */
  readonly payloadJson: string | undefined;
}

/** A task that has ended. */
export interface FinishedTask extends TaskTerms {
  readonly outcome: Outcome;
  readonly finishedMs: number;
  readonly attempt: number;
  readonly worker: string | null;
  /** Last lease, by which the queue recognises a completion that is sent again. */
  readonly leaseId: string | null;
  readonly resultJson: string | null;
  readonly error: string | null;
  /** How its last report was judged; absent: none was. */
  readonly verdict?: Verdict;
  /** As in {@link TaskProgress}. */
  readonly waitedMs: number;
  readonly ranMs: number;
  readonly history: readonly TaskEvent[];
}

/** Events kept of each task: the history of a task that is returned over and over must not grow for ever. */
const MAX_HISTORY = 40;

export function withEvent(history: readonly TaskEvent[], event: TaskEvent): readonly TaskEvent[] {
  // The first events say where the task came from, the last ones what is wrong now. Those between repeat themselves.
  if (history.length >= MAX_HISTORY) return [...history.slice(0, 10), ...history.slice(11), event];
  return [...history, event];
}

export function statusOf(outcome: Outcome): TaskStatus {
  return outcome === "complete" ? "complete" : "failed";
}
