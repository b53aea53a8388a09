import { retryDelayMs } from "./back-off.ts";
import { Depths } from "./depths.ts";
import { type Entry, expiry, newEntry, recordOf, storedEntry } from "./entry.ts";
import { Holders } from "./holders.ts";
import { type Changes, Journal } from "./journal.ts";
import { LongRunning } from "./long-running.ts";
import type { QueueSettings } from "./queue-settings.ts";
import { ReadyQueues } from "./ready-queues.ts";
import {
  ANYONE,
  type FinishedTask,
  type Lease,
  type NewTask,
  type Outcome,
  statusOf,
  type Task,
  type TaskEvent,
  type TaskStatus,
} from "./task.ts";
import { Timers } from "./timers.ts";

export interface Receipt {
  readonly taskId: string;
  readonly status: TaskStatus;
  /** Whether it was there before. */
  readonly known: boolean;
}

export type Enqueued = { readonly receipts: readonly Receipt[] } | { readonly full: true; readonly capacity: number };

export type Settled =
  | { readonly ok: true; readonly status: TaskStatus; readonly expiresMs?: number; readonly holder?: Lease | null }
  /** `lost`: the lease is no longer held; `finished`: the task has ended; `unknown`: there is no such task. */
  | { readonly ok: false; readonly reason: "lost" | "finished" | "unknown" };

export interface TaskQueueOptions {
  /** Part of the ids that the queue gives, so that a queue made anew gives others. */
  readonly epoch: string;
  readonly nextSeq: number;
  /** Unfinished tasks. */
  readonly tasks: Iterable<Task>;
  /** How a task of this id ended, while that is still known. */
  readonly finished: (taskId: string) => Pick<FinishedTask, "outcome" | "leaseId"> | undefined;
  /** From 0 to below 1. */
  readonly random: () => number;
}

/**
 * The state of a queue: which task comes next, who holds which, and what is due when. Everything that it knows follows
 * from its tasks, so it can be built again from storage at any time. It does no I/O and has no clock.
 *
 * Each call first lets the time pass ({@link pass}): a lease that has run out by then is lost, whoever comes late.
 */
export class TaskQueue {
  settings: QueueSettings;
  readonly #options: TaskQueueOptions;
  readonly #byId = new Map<string, Entry>();
  readonly #holders = new Holders();
  readonly #journal = new Journal();
  readonly #lanes = new ReadyQueues<Entry>((task) => task.place === "waiting");
  readonly #timers = new Timers<Entry>();
  readonly depths = new Depths();
  readonly longRunning = new LongRunning();
  #nextSeq: number;

  constructor(settings: QueueSettings, options: TaskQueueOptions) {
    this.settings = settings;
    this.#options = options;
    this.#nextSeq = options.nextSeq;
    const held: { entry: Entry; lease: Lease }[] = [];
    for (const task of options.tasks) {
      const entry = storedEntry(task);
      this.#byId.set(entry.taskId, entry);
      this.depths.add(entry);
      if (entry.lease !== null) held.push({ entry, lease: entry.lease });
      if (entry.place === "waiting") this.#lanes.add(entry);
      this.#setTimer(entry);
    }
    held.sort((a, b) => a.lease.startedMs - b.lease.startedMs);
    for (const { entry, lease } of held) this.#hold(entry, lease);
  }

  get size(): number {
    return this.#byId.size;
  }

  get nextSeq(): number {
    return this.#nextSeq;
  }

  /** When {@link pass} has something to do next. */
  get nextDueMs(): number | undefined {
    return this.#timers.nextMs;
  }

  find(taskId: string): Entry | undefined {
    return this.#byId.get(taskId);
  }

  /** Tasks held by a connection or call. */
  heldBy(holder: string): number {
    return this.#holders.count(holder);
  }

  hasFor(recipient: string): boolean {
    return this.#lanes.hasFor(recipient) || this.#lanes.hasFor(ANYONE);
  }

  get waitingRecipients(): Iterable<string> {
    return this.#lanes.recipients();
  }

  /** Creation time of the task that waits longest. */
  get oldestWaitingMs(): number | undefined {
    return this.#lanes.oldest()?.createdMs;
  }

  /** Lets timers run out: delays end, leases are lost, deadlines pass. */
  pass(nowMs: number): void {
    for (let entry = this.#timers.takeDue(nowMs); entry !== undefined; entry = this.#timers.takeDue(nowMs)) {
      if (entry.lease !== null) this.#loseLease(entry, entry.lease, nowMs);
      else if (entry.deadlineAtMs !== null && entry.deadlineAtMs <= nowMs) {
        this.#finish(entry, "expired", nowMs, { error: "nobody took it before its deadline" });
      } else {
        entry.place = "waiting";
        this.#lanes.add(entry);
        this.#setTimer(entry);
      }
    }
  }

  /** All or none. A task whose id is known, unfinished or finished, is not a second task. */
  enqueue(tasks: readonly NewTask[], nowMs: number): Enqueued {
    const known = new Map<NewTask, TaskStatus>();
    const given = new Set<string>();
    for (const task of tasks) {
      if (task.taskId === undefined) continue;
      const status = given.has(task.taskId) ? "queued" : this.#statusOf(task.taskId);
      if (status !== undefined) known.set(task, status);
      given.add(task.taskId);
    }
    if (!this.#makeRoom(tasks.length - known.size, nowMs)) return { full: true, capacity: this.settings.capacity };
    return {
      receipts: tasks.map((task) => {
        const status = known.get(task);
        if (status !== undefined) return { taskId: task.taskId ?? "", status, known: true };
        return { taskId: this.#add(task, nowMs).taskId, status: "queued", known: false };
      }),
    };
  }

  /** Gives out the most urgent task for `recipient`, or for anyone. */
  lease(recipient: string, holder: string, worker: string, leaseMs: number, nowMs: number): Entry | undefined {
    const recipients = recipient === ANYONE ? [ANYONE] : [recipient, ANYONE];
    const entry = this.#lanes.take(recipients, nowMs, this.settings.ageing_ms);
    if (entry === undefined) return undefined;
    entry.attempt++;
    entry.leases++;
    entry.waitedMs += Math.max(0, nowMs - entry.readyMs);
    const lease = {
      id: `${entry.seq}.${entry.leases}`,
      holder,
      worker,
      startedMs: nowMs,
      expiresMs: expiry(entry, nowMs, nowMs, leaseMs),
    };
    entry.place = "held";
    this.#hold(entry, lease);
    this.depths.start(entry);
    this.#setTimer(entry);
    this.#journal.note(entry, { atMs: nowMs, event: "leased", attempt: entry.attempt, worker });
    return entry;
  }

  /** The same completion again, while it is remembered, is agreed to again. */
  complete(taskId: string, leaseId: string, resultJson: string | null, nowMs: number): Settled {
    const entry = this.#byId.get(taskId);
    if (entry?.lease?.id === leaseId) {
      this.#finish(entry, "complete", nowMs, { resultJson });
      return { ok: true, status: "complete" };
    }
    const finished = entry === undefined ? this.#ended(taskId) : undefined;
    if (finished?.outcome === "complete" && finished.leaseId === leaseId) return { ok: true, status: "complete" };
    return this.#refusal(entry, taskId);
  }

  /** @param retry - `false`: not to be tried again, whatever attempts are left */
  fail(taskId: string, leaseId: string, error: string, retry: boolean, nowMs: number): Settled {
    const entry = this.#byId.get(taskId);
    if (entry?.lease?.id !== leaseId) return this.#refusal(entry, taskId);
    this.#failAttempt(entry, { event: "retry", error, retry }, nowMs);
    return { ok: true, status: entry.place === "gone" ? "failed" : "queued" };
  }

  /** The lease then ends `leaseMs` from now, or with the task's own limit. */
  extend(taskId: string, leaseId: string, leaseMs: number, nowMs: number): Settled {
    const entry = this.#byId.get(taskId);
    if (entry?.lease?.id !== leaseId) return this.#refusal(entry, taskId);
    const expiresMs = expiry(entry, entry.lease.startedMs, nowMs, leaseMs);
    entry.lease = { ...entry.lease, expiresMs };
    this.#journal.changed(entry);
    this.#setTimer(entry);
    return { ok: true, status: "running", expiresMs };
  }

  /** Gives a task back that was not begun: the attempt does not count. */
  giveBack(taskId: string, leaseId: string, nowMs: number): Settled {
    const entry = this.#byId.get(taskId);
    if (entry?.lease?.id !== leaseId) return this.#refusal(entry, taskId);
    entry.attempt--;
    this.#return(entry, nowMs, nowMs, { atMs: nowMs, event: "returned", worker: entry.lease.worker });
    return { ok: true, status: "queued" };
  }

  /** Gives back everything that a connection or call holds. */
  giveBackAll(holder: string, nowMs: number): void {
    for (const { taskId, lease } of this.#holders.of(holder)) this.giveBack(taskId, lease?.id ?? "", nowMs);
  }

  cancel(taskId: string, nowMs: number): Settled {
    const entry = this.#byId.get(taskId);
    if (entry === undefined) return this.#refusal(entry, taskId);
    const holder = entry.lease;
    this.#finish(entry, "cancelled", nowMs, { error: "cancelled" });
    return { ok: true, status: "failed", holder };
  }

  /** What has changed since the last call. Empties the lists. */
  drain(): Changes {
    return this.#journal.drain();
  }

  #statusOf(taskId: string): TaskStatus | undefined {
    const entry = this.#byId.get(taskId);
    if (entry !== undefined) return entry.lease === null ? "queued" : "running";
    const finished = this.#ended(taskId);
    return finished === undefined ? undefined : statusOf(finished.outcome);
  }

  #makeRoom(wanted: number, nowMs: number): boolean {
    const { capacity, overflow } = this.settings;
    if (this.size + wanted <= capacity) return true;
    if (overflow === "refuse" || this.size + wanted - capacity > this.#lanes.size) return false;
    while (this.size + wanted > capacity) {
      const oldest = this.#lanes.oldest();
      if (oldest === undefined) return false;
      this.#finish(oldest, "dropped", nowMs, { error: "dropped to make room: the queue was full" });
    }
    return true;
  }

  #add(task: NewTask, nowMs: number): Entry {
    const seq = this.#nextSeq++;
    const taskId = task.taskId ?? `t${seq}.${this.#options.epoch}`;
    const entry = newEntry(task, seq, taskId, this.settings.max_attempts, nowMs);
    this.#byId.set(entry.taskId, entry);
    this.depths.add(entry);
    if (entry.place === "waiting") this.#lanes.add(entry);
    this.#setTimer(entry);
    this.#journal.note(entry, { atMs: nowMs, event: "queued" });
    return entry;
  }

  #hold(entry: Entry, lease: Lease): void {
    entry.lease = lease;
    this.#holders.hold(lease.holder, entry);
    this.longRunning.begin(entry, lease.startedMs);
  }

  #letGo(entry: Entry, nowMs: number): void {
    const { lease } = entry;
    if (lease === null) return;
    entry.ranMs += Math.max(0, nowMs - lease.startedMs);
    entry.lease = null;
    this.#holders.letGo(lease.holder, entry);
    this.longRunning.end(entry);
  }

  #loseLease(entry: Entry, lease: Lease, nowMs: number): void {
    const overrun = entry.timeoutMs !== null && nowMs >= lease.startedMs + entry.timeoutMs;
    const error = overrun ? `ran longer than its ${entry.timeoutMs} ms` : `${lease.worker} let its lease run out`;
    this.#failAttempt(entry, { event: overrun ? "timed_out" : "lease_expired", error, retry: true }, nowMs);
  }

  #failAttempt(
    entry: Entry,
    { event, error, retry }: { event: "retry" | "timed_out" | "lease_expired"; error: string; retry: boolean },
    nowMs: number,
  ): void {
    if (!retry || entry.attempt >= entry.maxAttempts) {
      this.#finish(entry, "failed", nowMs, { error });
      return;
    }
    // A lost worker says nothing against the task: the next one may have it at once.
    const pause = event === "lease_expired" ? 0 : retryDelayMs(entry.attempt, this.settings, this.#options.random());
    const worker = entry.lease?.worker ?? "";
    this.#return(entry, nowMs, nowMs + pause, { atMs: nowMs, event, attempt: entry.attempt, worker, error });
  }

  #return(entry: Entry, nowMs: number, readyMs: number, event: TaskEvent): void {
    this.#letGo(entry, nowMs);
    this.depths.stop(entry);
    entry.readyMs = readyMs;
    entry.place = readyMs > nowMs ? "delayed" : "waiting";
    if (entry.place === "waiting") this.#lanes.add(entry);
    this.#setTimer(entry);
    this.#journal.note(entry, event);
  }

  #finish(
    entry: Entry,
    outcome: Outcome,
    nowMs: number,
    { error = null, resultJson = null }: { error?: string | null; resultJson?: string | null },
  ): void {
    const { lease, place } = entry;
    if (lease !== null) this.depths.stop(entry);
    this.#letGo(entry, nowMs);
    if (place === "waiting") entry.waitedMs += Math.max(0, nowMs - entry.readyMs);
    entry.place = "gone";
    if (place === "waiting") this.#lanes.left(entry);
    this.#timers.set(entry, Number.POSITIVE_INFINITY);
    this.#byId.delete(entry.taskId);
    this.depths.remove(entry);
    this.#journal.note(entry, {
      atMs: nowMs,
      event: outcome,
      ...(lease === null ? {} : { worker: lease.worker, attempt: entry.attempt }),
      ...(error === null ? {} : { error }),
    });
    this.#journal.finished(entry, recordOf(entry, lease, { outcome, finishedMs: nowMs, error, resultJson }));
  }

  #setTimer(entry: Entry): void {
    const deadline = entry.deadlineAtMs ?? Number.POSITIVE_INFINITY;
    const unheld = entry.place === "delayed" ? Math.min(entry.readyMs, deadline) : deadline;
    this.#timers.set(entry, entry.lease?.expiresMs ?? unheld);
  }

  /** How a task ended: in this transaction, or as storage knows it. */
  #ended(taskId: string): Pick<FinishedTask, "outcome" | "leaseId"> | undefined {
    return this.#journal.ended(taskId) ?? this.#options.finished(taskId);
  }

  #refusal(entry: Entry | undefined, taskId: string): Settled {
    if (entry !== undefined) return { ok: false, reason: "lost" };
    return { ok: false, reason: this.#ended(taskId) === undefined ? "unknown" : "finished" };
  }
}
