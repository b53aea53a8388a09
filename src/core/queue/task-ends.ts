import { retryDelayMs } from "./back-off.ts";
import type { ChangeTracker } from "./change-tracker.ts";
import { type Entry, type FailedAttempt, heldBy, leaseOver, recordOf, withGrace } from "./entry.ts";
import type { QueueSettings } from "./queue-settings.ts";
import type { FinishedTask, Lease, Outcome, TaskEvent } from "./task.ts";
import type { TransitionResult } from "./task-answers.ts";
import type { TaskIndex } from "./task-index.ts";
import type { TaskQueueOptions } from "./task-queue-options.ts";

interface TaskEndsOptions extends Pick<TaskQueueOptions, "finished" | "random"> {
  readonly settings: () => QueueSettings;
}

/** How attempts and tasks end, whoever ends them. */
export class TaskEnds {
  readonly #index: TaskIndex;
  readonly #changes: ChangeTracker;
  readonly #options: TaskEndsOptions;

  constructor(index: TaskIndex, changes: ChangeTracker, options: TaskEndsOptions) {
    this.#index = index;
    this.#changes = changes;
    this.#options = options;
  }

  expire(entry: Entry, nowMs: number): void {
    this.finish(entry, "expired", nowMs, "no worker took the task before its deadline");
  }

  expireLease(entry: Entry, lease: Lease, nowMs: number): void {
    const graced = withGrace(entry, lease, nowMs);
    if (graced === undefined) return this.failAttempt(entry, leaseOver(entry, lease, nowMs), nowMs);
    this.#index.extend(entry, graced);
    this.#changes.changed(entry);
  }

  failAttempt(entry: Entry, { event, error, retry }: FailedAttempt, nowMs: number): void {
    if (!retry || entry.attempt >= entry.maxAttempts) return this.finish(entry, "failed", nowMs, error);
    // The loss of a worker is not the fault of the task: the next worker may have the task at once.
    const isLoss = event === "lease_expired";
    const delayMs = isLoss ? 0 : retryDelayMs(entry.attempt, this.#options.settings(), this.#options.random());
    const worker = heldBy(entry)?.worker ?? "";
    this.requeue(entry, nowMs, nowMs + delayMs, { atMs: nowMs, event, attempt: entry.attempt, worker, error });
  }

  requeue(entry: Entry, nowMs: number, readyMs: number, event: TaskEvent): void {
    this.#index.requeue(entry, readyMs, nowMs);
    this.#changes.record(entry, event);
  }

  finish(entry: Entry, outcome: Outcome, nowMs: number, error: string | null, resultJson: string | null = null): void {
    const held = heldBy(entry);
    this.#index.remove(entry, nowMs);
    this.#changes.record(entry, {
      atMs: nowMs,
      event: outcome,
      ...(held === null ? {} : { worker: held.worker, attempt: entry.attempt }),
      ...(error === null ? {} : { error }),
    });
    this.#changes.finished(entry, recordOf(entry, held, { outcome, finishedMs: nowMs, error, resultJson }));
  }

  /** A finished task, from the present transaction or from storage. */
  findFinished(taskId: string): Pick<FinishedTask, "outcome" | "leaseId"> | undefined {
    return this.#changes.findFinished(taskId) ?? this.#options.finished(taskId);
  }

  refuse(entry: Entry | undefined, taskId: string): TransitionResult {
    if (entry !== undefined) return { ok: false, reason: "lost" };
    return { ok: false, reason: this.findFinished(taskId) === undefined ? "unknown" : "finished" };
  }
}
