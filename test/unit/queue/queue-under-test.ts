import { expect } from "vitest";
import type { ProvedWork } from "../../../src/core/queue/accept.ts";
import type { Entry } from "../../../src/core/queue/entry.ts";
import type { QueueSettings } from "../../../src/core/queue/queue-settings.ts";
import {
  packFinished,
  packProgress,
  packTerms,
  readStoredFinishedTask,
  readStoredTask,
} from "../../../src/core/queue/stored-task.ts";
import type { FinishedTask, NewTask } from "../../../src/core/queue/task.ts";
import { TaskQueue } from "../../../src/core/queue/task-queue.ts";
import { packPlace, readPlace } from "../../../src/core/queue/waiting-place.ts";

export const aTask = (given: Partial<NewTask> = {}): NewTask => ({
  taskId: undefined,
  recipient: "coder",
  type: "TASK_DELEGATE",
  payloadJson: "{}",
  sender: null,
  priority: 5,
  delayMs: 0,
  maxAttempts: undefined,
  timeoutMs: null,
  deadlineMs: null,
  caller: null,
  cause: null,
  ...given,
});

/** The random number of each retry delay; the model uses the same. */
export const RANDOM = 0.5;

/** A queue with a clock and with a storage of the drained changes, so that the queue can crash. */
export class QueueUnderTest {
  nowMs = 0;
  #paused = false;
  readonly stored = new Map<string, { seq: number; place: string | null; terms: string; progress: string }>();
  readonly finished = new Map<string, FinishedTask>();
  /** Rows of unfinished tasks that were written. */
  written = 0;
  #leases = 0;
  readonly #settings: QueueSettings;
  readonly #residentBytes: number | undefined;
  readonly #whole: number;
  queue: TaskQueue;
  #nextSeq = 1;
  readonly #work = new Map<number, ProvedWork>();

  /**
   * @param residentBytes - of tasks in memory, beyond which those that wait are only in the storage
   * @param whole - tasks that are read whole at a start; of others that wait, the places are read. Default: all
   */
  constructor(settings: QueueSettings, residentBytes?: number, whole = Number.POSITIVE_INFINITY) {
    this.#settings = settings;
    this.#residentBytes = residentBytes;
    this.#whole = whole;
    this.queue = this.#build();
  }

  enqueue(tasks: readonly NewTask[]) {
    return this.#do((queue) => queue.enqueue(tasks, this.nowMs));
  }

  lease(recipient: string, leaseMs = 30_000, skills: readonly string[] = []): Entry | undefined {
    const wish = { recipient, holder: "worker", worker: "worker", leaseMs, skills: new Set(skills) };
    return this.#do((queue) => queue.lease(wish, this.nowMs));
  }

  complete(taskId: string, leaseId: string) {
    return this.#do((queue) => queue.complete(taskId, leaseId, null, this.nowMs));
  }

  fail(taskId: string, leaseId: string, retry: boolean) {
    return this.#do((queue) => queue.fail(taskId, leaseId, "it broke", retry, this.nowMs));
  }

  extend(taskId: string, leaseId: string, leaseMs: number) {
    return this.#do((queue) => queue.extend(taskId, leaseId, leaseMs, this.nowMs));
  }

  release(taskId: string, leaseId: string) {
    return this.#do((queue) => queue.release(taskId, leaseId, this.nowMs));
  }

  cancel(taskId: string) {
    return this.#do((queue) => queue.cancel(taskId, this.nowMs));
  }

  /** Any other change of the queue. */
  change<Result>(work: (queue: TaskQueue, nowMs: number) => Result): Result {
    return this.#do((queue) => work(queue, this.nowMs));
  }

  /** Takes the task out without a trace of it. */
  purge(taskId: string) {
    return this.#do((queue) => queue.cancel(taskId, this.nowMs, { purge: true }));
  }

  /** Holds leases back, or no longer. The queue sees the time first, as with every request. */
  pause(paused: boolean): void {
    this.#do(() => {
      this.#paused = paused;
    });
  }

  /** Moves the clock, also backwards, and lets the queue see the old and the new time. */
  pass(ms: number): void {
    this.#do(() => undefined);
    this.nowMs = Math.max(0, this.nowMs + ms);
    this.#do(() => undefined);
  }

  /** Rebuilds the queue from what was stored. */
  crash(): void {
    this.queue = this.#build();
    this.#do(() => undefined);
  }

  #build(): TaskQueue {
    return new TaskQueue(this.#settings, {
      epoch: "test",
      nextSeq: this.#nextSeq,
      tasks: [...this.stored.values()]
        .sort((a, b) => a.seq - b.seq)
        .map(({ seq, place, terms, progress }, row) =>
          row < this.#whole || place === null
            ? readStoredTask(seq, terms, progress)
            : readPlace(JSON.parse(`[${seq},${place}]`)),
        ),
      read: (seqs) =>
        [...this.stored.values()]
          .filter(({ seq }) => seqs.includes(seq))
          .map(({ seq, terms, progress }) => readStoredTask(seq, terms, progress)),
      ...(this.#residentBytes === undefined ? {} : { residentBytes: this.#residentBytes }),
      finished: (taskId) => this.finished.get(taskId),
      work: (seq) => this.#work.get(seq),
      holdsBack: () => this.#paused,
      // Ids of leases are random, and may begin with a sign with which no name begins.
      newLeaseId: () => `-lease-${++this.#leases}`,
      random: () => RANDOM,
    });
  }

  #do<Result>(work: (queue: TaskQueue) => Result): Result {
    this.queue.advanceClock(this.nowMs);
    const result = work(this.queue);
    const { changed, finished, purged } = this.queue.drain();
    this.written += changed.length;
    for (const entry of changed) {
      this.stored.set(entry.taskId, {
        seq: entry.seq,
        place: packPlace(entry),
        terms: packTerms(entry),
        progress: packProgress(entry),
      });
      entry.stored = true;
      if (entry.work !== undefined) this.#work.set(entry.seq, entry.work);
      entry.work = undefined;
    }
    for (const { record } of purged) this.stored.delete(record.taskId);
    for (const { record } of finished) {
      this.stored.delete(record.taskId);
      expect(readStoredFinishedTask(packFinished(record))).toEqual(record);
      this.finished.set(record.taskId, record);
    }
    this.#nextSeq = this.queue.nextSeq;
    this.queue.park(changed);
    return result;
  }
}
