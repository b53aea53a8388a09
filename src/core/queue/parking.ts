import { type AwaitedAnswer, hasAnswer, type TaskWait, withAnswer } from "./awaited-answer.ts";
import type { ChangeTracker } from "./change-tracker.ts";
import type { Entry } from "./entry.ts";
import { standingOf } from "./proofs.ts";
import type { TransitionResult } from "./task-answers.ts";
import type { TaskEnds } from "./task-ends.ts";
import type { TaskIndex } from "./task-index.ts";

export interface ParkWish extends TaskWait {
  /** It comes back at this time at the latest, in milliseconds since the epoch: what it waits for may be lost. */
  readonly untilMs: number;
  /** The answer, where the question is over already. */
  readonly over?: AwaitedAnswer | undefined;
}

/**
 * Tasks that wait for something without a worker: their leases end, and they are queued with a delay until what they wait
 * for comes, or their time is over. The attempt does not count.
 *
 * An answer is kept with its task whenever it comes, so it may come before the task is parked, and more than once: a task
 * has each answer once, and comes back once.
 */
export class Parking {
  readonly #index: TaskIndex;
  readonly #changes: ChangeTracker;
  readonly #ends: TaskEnds;

  constructor(index: TaskIndex, changes: ChangeTracker, ends: TaskEnds) {
    this.#index = index;
    this.#changes = changes;
    this.#ends = ends;
  }

  /** Parks a task that a worker holds. Said again while it waits it changes nothing. */
  park(taskId: string, leaseId: string, wish: ParkWish, nowMs: number): TransitionResult {
    const entry = this.#index.find(taskId);
    const { why, question, untilMs, over } = wish;
    if (entry?.lease?.id !== leaseId) {
      const waits = entry?.waitsFor?.why === why && entry.waitsFor.question === question;
      return waits ? { ok: true, status: "queued" } : this.#ends.refuse(entry, taskId);
    }
    const { worker } = entry.lease;
    if (over !== undefined && !hasAnswer(entry.answers, over.question)) entry.answers = withAnswer(entry.answers, over);
    const waits = !hasAnswer(entry.answers, question) && untilMs > nowMs;
    entry.attempt--;
    if (waits) entry.waitsFor = question === undefined ? { why } : { why, question };
    this.#index.requeue(entry, waits ? untilMs : nowMs, nowMs);
    this.#changes.record(entry, { atMs: nowMs, event: "parked", worker, error: why });
    return { ok: true, status: "queued" };
  }

  /** Gives a task the answer to a question, whatever the task does now; one that waits for it is ready. */
  answer(taskId: string, answer: AwaitedAnswer, nowMs: number): TransitionResult {
    const entry = this.#index.find(taskId);
    if (entry === undefined) return this.#ends.refuse(entry, taskId);
    if (!hasAnswer(entry.answers, answer.question)) {
      entry.answers = withAnswer(entry.answers, answer);
      this.#changes.record(entry, { atMs: nowMs, event: "answered" });
      // What was parked once has no deadline any more.
      this.#index.setTimer(entry);
      if (entry.waitsFor?.question === answer.question) this.#wake(entry, nowMs);
    }
    return { ok: true, status: standingOf(entry) };
  }

  #wake(entry: Entry, nowMs: number): void {
    entry.waitsFor = undefined;
    // One whose time is over is ready already.
    if (entry.state !== "delayed") return;
    entry.readyMs = nowMs;
    this.#index.makeReady(entry);
  }
}
