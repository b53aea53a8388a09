import { Depths } from "./depths.ts";
import { type Entry, storedEntry } from "./entry.ts";
import { Holders } from "./holders.ts";
import { LongRunning } from "./long-running.ts";
import { ReadyQueues } from "./ready-queues.ts";
import type { Lease, Task } from "./task.ts";
import { Timers } from "./timers.ts";

/**
 * The unfinished tasks of a queue, by id, order, lease holder and due time. Moves a task between its states and keeps
 * all of these in step; which move is allowed when is decided by {@link TaskQueue}.
 */
export class TaskIndex {
  readonly depths = new Depths();
  readonly longRunning = new LongRunning();
  readonly #byId = new Map<string, Entry>();
  readonly #holders = new Holders();
  readonly #ready = new ReadyQueues<Entry>((task) => task.state === "ready");
  readonly #timers = new Timers<Entry>();

  constructor(tasks: Iterable<Task>) {
    const leased: { entry: Entry; lease: Lease }[] = [];
    for (const task of tasks) {
      const entry = storedEntry(task);
      this.add(entry);
      if (entry.lease !== null) leased.push({ entry, lease: entry.lease });
    }
    // LongRunning expects the order of the starts.
    leased.sort((a, b) => a.lease.startedMs - b.lease.startedMs);
    for (const { entry, lease } of leased) this.#hold(entry, lease);
  }

  get size(): number {
    return this.#byId.size;
  }

  get readyCount(): number {
    return this.#ready.size;
  }

  find(taskId: string): Entry | undefined {
    return this.#byId.get(taskId);
  }

  heldBy(holder: string): number {
    return this.#holders.count(holder);
  }

  entriesOf(holder: string): readonly Entry[] {
    return this.#holders.of(holder);
  }

  hasReadyFor(recipient: string): boolean {
    return this.#ready.hasFor(recipient);
  }

  get readyRecipients(): Iterable<string> {
    return this.#ready.recipients();
  }

  get oldestReady(): Entry | undefined {
    return this.#ready.oldest();
  }

  /** When {@link takeDue} has something to return next. */
  get nextDueMs(): number | undefined {
    return this.#timers.nextMs;
  }

  /** A task whose timer has run out: its delay, its lease or its deadline. */
  takeDue(nowMs: number): Entry | undefined {
    return this.#timers.takeDue(nowMs);
  }

  add(entry: Entry): void {
    this.#byId.set(entry.taskId, entry);
    this.depths.add(entry);
    if (entry.state === "ready") this.#ready.add(entry);
    this.#setTimer(entry);
  }

  /** Ends the delay of a task. */
  makeReady(entry: Entry): void {
    entry.state = "ready";
    this.#ready.add(entry);
    this.#setTimer(entry);
  }

  /** Takes the most urgent ready task out of the order; {@link lease} has to follow. */
  takeReady(recipients: readonly string[], nowMs: number, ageingMs: number | null): Entry | undefined {
    return this.#ready.take(recipients, nowMs, ageingMs);
  }

  lease(entry: Entry, lease: Lease): void {
    entry.state = "leased";
    this.#hold(entry, lease);
    this.depths.start(entry);
    this.#setTimer(entry);
  }

  /** Sets a lease that goes on with another end. */
  extend(entry: Entry, lease: Lease): void {
    entry.lease = lease;
    entry.unsure = false;
    this.#setTimer(entry);
  }

  /** Ends the lease of a task, which is ready again at `readyMs`. */
  requeue(entry: Entry, readyMs: number, nowMs: number): void {
    this.#release(entry, nowMs);
    this.depths.stop(entry);
    entry.readyMs = readyMs;
    entry.state = readyMs > nowMs ? "delayed" : "ready";
    if (entry.state === "ready") this.#ready.add(entry);
    this.#setTimer(entry);
  }

  /** Takes a finished task out of the queue. */
  remove(entry: Entry, nowMs: number): void {
    const wasReady = entry.state === "ready";
    if (entry.lease !== null) this.depths.stop(entry);
    this.#release(entry, nowMs);
    if (wasReady) entry.waitedMs += Math.max(0, nowMs - entry.readyMs);
    entry.state = "finished";
    if (wasReady) this.#ready.remove(entry);
    this.#timers.set(entry, Number.POSITIVE_INFINITY);
    this.#byId.delete(entry.taskId);
    this.depths.remove(entry);
  }

  #hold(entry: Entry, lease: Lease): void {
    entry.lease = lease;
    this.#holders.add(lease.holder, entry);
    this.longRunning.begin(entry, lease.startedMs);
  }

  #release(entry: Entry, nowMs: number): void {
    const { lease } = entry;
    if (lease === null) return;
    entry.ranMs += Math.max(0, nowMs - lease.startedMs);
    entry.lease = null;
    entry.unsure = false;
    this.#holders.remove(lease.holder, entry);
    this.longRunning.end(entry);
  }

  #setTimer(entry: Entry): void {
    const deadline = entry.deadlineAtMs ?? Number.POSITIVE_INFINITY;
    const unleased = entry.state === "delayed" ? Math.min(entry.readyMs, deadline) : deadline;
    this.#timers.set(entry, entry.lease?.expiresMs ?? unleased);
  }
}
