import type { Accept, Judgement, ProvedWork } from "./accept.ts";
import type { Entry } from "./entry.ts";
import type { Abilities } from "./needs.ts";
import type { Routed } from "./route.ts";
import type { FinishedTask, Outcome, Task } from "./task.ts";
import type { WaitingPlace } from "./waiting-place.ts";

/**
 * Reads parked tasks from storage by their places in the order.
 *
 * @param use - what is done with them: a row that cannot be read fails a change, and is left out of a look
 */
export type ReadParked = (seqs: readonly number[], use: "change" | "look") => Iterable<Task>;

/** Bytes of tasks in memory, beyond which those that wait are only in storage. Tasks that are leased are always there. */
export const RESIDENT_BYTES = 8_000_000;

/** How a task ends that is cancelled. */
export interface CancelAs {
  /** Default: `cancelled`. */
  readonly outcome?: Outcome;
  /** Default: the outcome. */
  readonly error?: string;
  /** Nothing of the task is kept; default: it is kept as any finished task. */
  readonly purge?: boolean;
}

/** Who takes a task, and for how long. */
export interface LeaseWish {
  readonly recipient: string;
  /** The connection or request that holds the lease. */
  readonly holder: string;
  /** Name of the worker, for people. */
  readonly worker: string;
  readonly leaseMs: number;
  /** Default: none. */
  readonly skills?: Abilities | undefined;
}

export interface TaskQueueOptions {
  /** Part of the ids that the queue assigns, so that a queue made anew assigns others. */
  readonly epoch: string;
  readonly nextSeq: number;
  /** Unfinished tasks, in the order of their arrival: whole, or of those that wait their places alone. */
  readonly tasks: Iterable<Task | WaitingPlace>;
  /** Reads unfinished tasks from storage. */
  readonly read: ReadParked;
  /** Default {@link RESIDENT_BYTES}. */
  readonly residentBytes?: number;
  /** Whether no task is leased at present: the queue is paused, or its tasks take so much memory that others have to end first. */
  readonly holdsBack?: () => boolean;
  /** Whether no task of the recipient that names these limits is leased at present. Default: none is held back. */
  readonly isParked?: (task: Routed) => boolean;
  /** Looks up a finished task, while storage still has the task. */
  readonly finished: (taskId: string) => Pick<FinishedTask, "outcome" | "leaseId"> | undefined;
  /** Judges at once a task that was reported complete; `undefined`: others do, later. Default: others. */
  readonly judge?: (entry: Entry, accept: Accept, work: ProvedWork) => Judgement | undefined;
  /** What was stored of a task that waits to be judged. */
  readonly work?: (seq: number) => ProvedWork | undefined;
  /** Makes the id of a lease, which nobody can guess: who knows the id ends the task. */
  readonly newLeaseId: () => string;
  /** From 0 to below 1. */
  readonly random: () => number;
}
