import { ChangeTracker, type QueueChanges } from "./change-tracker.ts";
import { deadlineOf, type Entry, newEntry, newLease, renewed } from "./entry.ts";
import { knownTasks } from "./known-tasks.ts";
import { Parking } from "./parking.ts";
import { Proofs, standingOf } from "./proofs.ts";
import type { QueueSettings } from "./queue-settings.ts";
import { NO_SKILLS } from "./route.ts";
import { ANYONE, type NewTask, statusOf, type TaskEvent, type TaskStatus } from "./task.ts";
import type { EnqueueResult, TransitionResult } from "./task-answers.ts";
import { TaskEnds } from "./task-ends.ts";
import { TaskIndex } from "./task-index.ts";
import type { CancelAs, LeaseWish, TaskQueueOptions } from "./task-queue-options.ts";

/**
 * The state machine of a queue: which task comes next, who holds which task, and what is due when. All of its state
 * follows from its tasks, so the queue can be rebuilt from storage at any time. Does no I/O and has no clock.
 *
 * queued → running → complete | failed; running → queued when an attempt fails, a lease expires or is released. A task that
 * must prove that it is done: running → verifying → complete | queued | failed.
 *
 * Call {@link advanceClock} before each change: a lease that has expired by then is lost, even if its holder answers now.
 */
export class TaskQueue {
  settings: QueueSettings;
  readonly depths: TaskIndex["depths"];
  readonly longRunning: TaskIndex["longRunning"];
  readonly openCalls: TaskIndex["calls"];
  readonly ready: TaskIndex["ready"];
  readonly #options: TaskQueueOptions;
  readonly #index: TaskIndex;
  readonly #ends: TaskEnds;
  readonly #changes = new ChangeTracker();
  readonly parking: Parking;
  readonly proofs: Proofs;
  #nextSeq: number;

  constructor(settings: QueueSettings, options: TaskQueueOptions) {
    this.settings = settings;
    this.#options = options;
    this.#nextSeq = options.nextSeq;
    this.#index = new TaskIndex(options);
    const { depths, longRunning, calls, ready } = this.#index;
    [this.depths, this.longRunning, this.openCalls, this.ready] = [depths, longRunning, calls, ready];
    this.#ends = new TaskEnds(this.#index, this.#changes, { ...options, settings: () => this.settings });
    this.parking = new Parking(this.#index, this.#changes, this.#ends);
    this.proofs = new Proofs(this.#index, this.#changes, options, this.#ends);
  }

  get size(): number {
    return this.#index.size;
  }

  get nextSeq(): number {
    return this.#nextSeq;
  }

  /** When {@link advanceClock} has something to do next. */
  get nextDueMs(): number | undefined {
    return this.#index.nextDueMs;
  }

  /** A task to look at. */
  find(taskId: string): Entry | undefined {
    return this.#index.look(taskId);
  }

  /** What the tasks take in memory, about, without payloads. */
  get heapBytes(): number {
    return this.#index.heapBytes;
  }

  /** Number of tasks that a connection or request holds. */
  heldBy(holder: string): number {
    return this.#index.heldBy(holder);
  }

  /** Whether a worker of `recipient` would get a task now. */
  hasFor(recipient: string): boolean {
    return this.#index.hasReadyFor(recipient) || this.#index.hasReadyFor(ANYONE);
  }

  get waitingRecipients(): Iterable<string> {
    return this.#index.readyRecipients;
  }

  /** Creation time of the ready task that arrived first. */
  get oldestWaitingMs(): number | undefined {
    return this.#index.oldestReadyMs;
  }

  /** Lets the timers run out that are due: delays end, leases expire, deadlines pass. */
  advanceClock(nowMs: number): void {
    this.#index.unparkDue(nowMs);
    for (let entry = this.#index.takeDue(nowMs); entry !== undefined; entry = this.#index.takeDue(nowMs)) {
      if (entry.lease !== null) this.#ends.expireLease(entry, entry.lease, nowMs);
      else if ((deadlineOf(entry) ?? Infinity) <= nowMs) this.#ends.expire(entry, nowMs);
      else {
        this.#index.makeReady(entry);
        this.#index.park(entry);
      }
    }
  }

  /** Queues all tasks or none. A task whose id the queue knows, unfinished or finished, is not queued a second time. */
  enqueue(tasks: readonly NewTask[], nowMs: number): EnqueueResult {
    const known = knownTasks(tasks, (taskId) => this.#statusOf(taskId));
    if (!this.#makeRoom(tasks.length - known.size, nowMs)) return { full: true, capacity: this.settings.capacity };
    return {
      receipts: tasks.map((task) => {
        const status = known.get(task);
        if (status !== undefined) return { taskId: task.taskId ?? "", status, known: true };
        return { taskId: this.#add(task, nowMs).taskId, status: "queued", known: false };
      }),
    };
  }

  /** Leases the most urgent task for `recipient` or for anyone, of those that need no other skills. */
  lease({ recipient, holder, worker, leaseMs, skills = NO_SKILLS }: LeaseWish, nowMs: number): Entry | undefined {
    const routes = this.#index.routesFor(recipient === ANYONE ? [ANYONE] : [recipient, ANYONE], skills);
    const entry = this.#options.holdsBack?.() === true ? undefined : this.#takeReady(routes, nowMs);
    if (entry === undefined) return undefined;
    entry.waitsFor = undefined;
    entry.attempt++;
    entry.leases++;
    entry.waitedMs += Math.max(0, nowMs - entry.readyMs);
    const given = { id: this.#options.newLeaseId(), holder, worker, startedMs: nowMs };
    this.#index.lease(entry, newLease(entry, given, leaseMs));
    this.#changes.record(entry, { atMs: nowMs, event: "leased", attempt: entry.attempt, worker });
    return entry;
  }

  /** A completion that is sent again succeeds again, while the finished task is remembered. */
  complete(
    taskId: string,
    leaseId: string,
    resultJson: string | null,
    nowMs: number,
    evidenceJson: string | null = null,
  ): TransitionResult {
    const entry = this.#index.find(taskId);
    const proved = this.proofs.complete(entry, leaseId, { resultJson, evidenceJson }, nowMs);
    if (proved !== undefined) return proved;
    if (entry?.lease?.id === leaseId) {
      this.#ends.finish(entry, "complete", nowMs, null, resultJson);
      return { ok: true, status: "complete" };
    }
    const finished = entry === undefined ? this.#ends.findFinished(taskId) : undefined;
    if (finished?.outcome === "complete" && finished.leaseId === leaseId) return { ok: true, status: "complete" };
    return this.#ends.refuse(entry, taskId);
  }

  /** @param retry - `false`: the task fails for good, whatever attempts are left */
  fail(taskId: string, leaseId: string, error: string, retry: boolean, nowMs: number): TransitionResult {
    const entry = this.#index.find(taskId);
    if (entry?.lease?.id !== leaseId) return this.#ends.refuse(entry, taskId);
    this.#ends.failAttempt(entry, { event: "retry", error, retry }, nowMs);
    return { ok: true, status: entry.state === "finished" ? "failed" : "queued" };
  }

  /** Moves the end of a lease to `leaseMs` from now, but not beyond the task's own time limit. */
  extend(taskId: string, leaseId: string, leaseMs: number, nowMs: number): TransitionResult {
    const entry = this.#index.find(taskId);
    if (entry?.lease?.id !== leaseId) return this.#ends.refuse(entry, taskId);
    const { lease, store } = renewed(entry, entry.lease, nowMs, leaseMs);
    this.#index.extend(entry, lease);
    if (store) this.#changes.changed(entry);
    else this.#changes.renewed(entry);
    return { ok: true, status: "running", expiresMs: lease.expiresMs };
  }

  /** Returns a task that its worker did not begin: the attempt does not count. */
  release(taskId: string, leaseId: string, nowMs: number): TransitionResult {
    const entry = this.#index.find(taskId);
    if (entry?.lease?.id !== leaseId) return this.#ends.refuse(entry, taskId);
    entry.attempt--;
    this.#ends.requeue(entry, nowMs, nowMs, { atMs: nowMs, event: "returned", worker: entry.lease.worker });
    return { ok: true, status: "queued" };
  }

  /** Releases all tasks that a connection or request holds. */
  releaseAll(holder: string, nowMs: number): void {
    for (const { taskId, lease } of this.#index.entriesOf(holder)) this.release(taskId, lease?.id ?? "", nowMs);
  }

  /** The result names the lease of a running task as `cancelled`, so that its holder can be notified. */
  cancel(taskId: string, nowMs: number, { outcome = "cancelled", error = outcome, purge }: CancelAs = {}) {
    const entry = this.#index.find(taskId);
    if (entry === undefined) return this.#ends.refuse(entry, taskId);
    const { lease } = entry;
    this.#changes.withdraw(entry);
    this.#ends.finish(entry, outcome, nowMs, error);
    if (purge === true) this.#changes.purged(taskId);
    return { ok: true, status: "failed", cancelled: lease } as const;
  }

  /** Adds an event to the history of an unfinished task: nothing else of the task changes. */
  note(taskId: string, event: TaskEvent): void {
    const entry = this.#index.find(taskId);
    if (entry !== undefined) this.#changes.record(entry, event);
  }

  /** Returns the changes since the last call, and forgets them. */
  drain(): QueueChanges {
    return this.#changes.drain();
  }

  /** Leaves those to storage that it has, where there are too many tasks in memory. @returns the entries to be forgotten */
  park(entries: readonly Entry[]): Entry[] {
    return entries.filter((entry) => this.#index.park(entry));
  }

  #statusOf(taskId: string): TaskStatus | undefined {
    const entry = this.find(taskId);
    if (entry !== undefined) return standingOf(entry);
    const outcome = this.#ends.findFinished(taskId)?.outcome;
    return outcome && statusOf(outcome);
  }

  #takeReady(routes: readonly string[], nowMs: number): Entry | undefined {
    for (;;) {
      const entry = this.#index.takeReady(routes, nowMs, this.settings.ageing_ms);
      if (entry === undefined || (deadlineOf(entry) ?? Infinity) > nowMs) return entry;
      // One of very many that are due together, which the clock has not come to.
      this.#index.putBack(entry);
      this.#ends.expire(entry, nowMs);
    }
  }

  #makeRoom(wanted: number, nowMs: number): boolean {
    const { capacity, overflow } = this.settings;
    if (this.size + wanted <= capacity) return true;
    if (overflow === "refuse" || this.size + wanted - capacity > this.#index.readyCount) return false;
    while (this.size + wanted > capacity) {
      const oldest = this.#index.takeOldestReady();
      if (oldest === undefined) return false;
      this.#ends.finish(oldest, "dropped", nowMs, "dropped to make room: the queue was full");
    }
    return true;
  }

  #add(task: NewTask, nowMs: number): Entry {
    const seq = this.#nextSeq++;
    const taskId = task.taskId ?? `t${seq}.${this.#options.epoch}`;
    const entry = newEntry(task, seq, taskId, this.settings.max_attempts, nowMs);
    this.#index.add(entry);
    this.#changes.record(entry, { atMs: nowMs, event: "queued" });
    return entry;
  }
}
