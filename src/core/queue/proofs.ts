import { formatTimestamp } from "../signals/timestamp.ts";
import type { Accept, Judgement, ProvedWork, Verdict } from "./accept.ts";
import type { ChangeTracker } from "./change-tracker.ts";
import type { Entry } from "./entry.ts";
import type { Lease, TaskStatus } from "./task.ts";
import type { TransitionResult } from "./task-answers.ts";
import type { TaskEnds } from "./task-ends.ts";
import type { TaskIndex } from "./task-index.ts";
import type { TaskQueueOptions } from "./task-queue-options.ts";

/**
 * Tasks that must prove that they are done. Reported complete, such a task waits without a lease until it is judged:
 * accepted it is complete, refused its attempt has failed. A judgement counts for the report that it is about and no
 * other, and once, so it may come late, twice, or after the task was cancelled.
 */
export class Proofs {
  readonly #index: TaskIndex;
  readonly #changes: ChangeTracker;
  readonly #options: Pick<TaskQueueOptions, "judge" | "work" | "newLeaseId">;
  readonly #ends: TaskEnds;

  constructor(
    index: TaskIndex,
    changes: ChangeTracker,
    options: Pick<TaskQueueOptions, "judge" | "work" | "newLeaseId">,
    ends: TaskEnds,
  ) {
    this.#index = index;
    this.#changes = changes;
    this.#options = options;
    this.#ends = ends;
  }

  /** Tasks that wait to be judged. */
  get waiting(): TaskIndex["verifying"] {
    return this.#index.verifying;
  }

  /**
   * A worker reports a task complete. Sent again, a report is known as long as no other has followed it.
   *
   * @returns `undefined`: the task need not prove anything, or another worker has it
   */
  complete(entry: Entry | undefined, leaseId: string, work: ProvedWork, nowMs: number): TransitionResult | undefined {
    if (entry?.accept === undefined) return undefined;
    if (entry.lease?.id === leaseId) return this.#begin(entry, entry.lease, entry.accept, work, nowMs);
    const known = entry.proof?.leaseId === leaseId || entry.refusedLease === leaseId;
    return known ? { ok: true, status: standingOf(entry) } : undefined;
  }

  #begin(entry: Entry, lease: Lease, accept: Accept, work: ProvedWork, nowMs: number): TransitionResult {
    const { worker } = lease;
    // It names a task, too, and a name begins with a letter or a digit, which a random id need not.
    const id = `proof-${this.#options.newLeaseId()}`;
    entry.proof = { id, leaseId: lease.id, worker, sinceMs: nowMs, round: 1 };
    entry.work = work;
    this.#index.verify(entry, nowMs);
    this.#changes.record(entry, { atMs: nowMs, event: "verifying", attempt: entry.attempt, worker });
    const judgement = this.#options.judge?.(entry, accept, work);
    if (judgement === undefined) this.#changes.proving(entry);
    else this.#settle(entry, judgement, nowMs);
    return { ok: true, status: standingOf(entry) };
  }

  /** A task is judged. A judgement about another report, or a second one, is refused and changes nothing. */
  judge(taskId: string, proof: string, judgement: Judgement, nowMs: number): TransitionResult {
    const entry = this.#index.find(taskId);
    if (entry?.proof?.id !== proof) return this.#ends.refuse(entry, taskId);
    this.#settle(entry, judgement, nowMs);
    return { ok: true, status: standingOf(entry) };
  }

  /** Who has to judge is asked again: what was asked before ended without an answer. */
  askAgain(taskId: string, proof: string): void {
    const entry = this.#index.find(taskId);
    if (entry?.proof?.id !== proof) return;
    entry.proof = { ...entry.proof, round: entry.proof.round + 1 };
    this.#changes.changed(entry);
    this.#changes.proving(entry);
  }

  #settle(entry: Entry, judgement: Judgement, nowMs: number): void {
    const { proof, attempt } = entry;
    const verdict: Verdict = { ...judgement, at: formatTimestamp(nowMs), attempt };
    entry.verdict = verdict;
    const { resultJson = null, evidenceJson = null } = entry.work ?? this.#options.work?.(entry.seq) ?? {};
    this.#changes.judged({ task: entry, verdict, evidenceJson });
    if (judgement.accepted) {
      this.#changes.record(entry, { atMs: nowMs, event: "accepted", attempt });
      return this.#ends.finish(entry, "complete", nowMs, null, resultJson);
    }
    entry.refusedLease = proof?.leaseId;
    const error = `not accepted: ${judgement.reason ?? "no reason was given"}`;
    this.#ends.failAttempt(entry, { event: "refused", error, retry: true }, nowMs);
  }
}

/** The status of an entry as callers see it. */
export function standingOf(entry: Pick<Entry, "lease" | "proof" | "state" | "verdict">): TaskStatus {
  if (entry.state === "finished") return entry.verdict?.accepted === true ? "complete" : "failed";
  if (entry.proof !== undefined) return "verifying";
  return entry.lease === null ? "queued" : "running";
}
