import { OpenCalls } from "./deadlock.ts";
import { Depths } from "./depths.ts";
import { type Entry, mayPark, storedEntry, timeOf } from "./entry.ts";
import { LeasedTasks } from "./leased-tasks.ts";
import type { Abilities } from "./needs.ts";
import { ParkedTasks } from "./parked-tasks.ts";
import { ReadyQueues } from "./ready-queues.ts";
import { ResidentTasks } from "./resident-tasks.ts";
import { recipientOf } from "./route.ts";
import type { Lease, Task } from "./task.ts";
import { RESIDENT_BYTES, type ReadParked, type TaskQueueOptions } from "./task-queue-options.ts";
import { Timers } from "./timers.ts";
import { VerifyingTasks } from "./verifying-tasks.ts";
import type { WaitingPlace } from "./waiting-place.ts";

/** Parked tasks that become due in one step. */
const MAX_DUE = 2_000;

/**
 * The unfinished tasks of a queue, by id, order, lease holder and due time. Moves a task between its states and keeps
 * all of these in step; which move is allowed when is decided by {@link TaskQueue}.
 *
 * Beyond a number of tasks, those that wait are parked: they are only in storage, and are read again when they come to
 * the front, are due, or are named. Whoever changes a task therefore finds it here first.
 */
export class TaskIndex {
  readonly depths = new Depths();
  readonly calls = new OpenCalls();
  readonly verifying = new VerifyingTasks();
  readonly #resident = new ResidentTasks();
  readonly #parked = new ParkedTasks();
  readonly #leased = new LeasedTasks();
  readonly #ready = new ReadyQueues<Entry>({
    isParked: (task) => this.#isParked(task),
    isReady: (seq) => this.#parked.isReady(seq) || this.#resident.at(seq)?.state === "ready",
    read: (seq, next) => this.#resident.at(seq) ?? this.#unpark(seq, next),
  });
  readonly #timers = new Timers<Entry>();
  readonly #read: ReadParked;
  readonly #isParked: NonNullable<TaskQueueOptions["isParked"]>;
  readonly #residentBytes: number;

  constructor({ tasks, read, residentBytes = RESIDENT_BYTES, isParked = () => false }: TaskQueueOptions) {
    this.#read = read;
    this.#isParked = isParked;
    this.#residentBytes = residentBytes;
    for (const task of tasks) {
      if ("route" in task) this.#wait(task);
      else this.#load(storedEntry(task));
    }
    this.#leased.holdAll(this.#resident);
  }

  get longRunning(): LeasedTasks["longRunning"] {
    return this.#leased.longRunning;
  }

  get size(): number {
    return this.#resident.size + this.#parked.size;
  }

  /** What all of it takes in memory, about, without payloads. */
  get heapBytes(): number {
    return this.#resident.heapBytes + this.#parked.heapBytes;
  }

  get readyCount(): number {
    return this.#ready.size;
  }

  /** A task that is to be changed. */
  find(taskId: string): Entry | undefined {
    return this.#resident.named(taskId) ?? this.#parkedNamed(taskId, "change", ({ seq }) => this.#unpark(seq, []));
  }

  /** A task that is only looked at: a parked one stays parked. */
  look(taskId: string): Entry | undefined {
    const entryOf = (task: Task) => storedEntry(task, this.#parked.isReady(task.seq));
    return this.#resident.named(taskId) ?? this.#parkedNamed(taskId, "look", entryOf);
  }

  heldBy(holder: string): number {
    return this.#leased.holders.count(holder);
  }

  entriesOf(holder: string): readonly Entry[] {
    return this.#leased.holders.of(holder);
  }

  hasReadyFor(recipient: string): boolean {
    return this.#ready.hasFor(recipient);
  }

  /** What can be told of the tasks that are ready. */
  get ready(): Pick<ReadyQueues<Entry>, "placing" | "linesOfHosts" | "parkedLines" | "limits"> {
    return this.#ready;
  }

  get readyRecipients(): Iterable<string> {
    return this.#ready.recipients();
  }

  /** The lines of tasks from which a worker with these skills takes the next one. */
  routesFor(recipients: readonly string[], skills: Abilities): readonly string[] {
    return this.#ready.routesFor(recipients, skills);
  }

  /** The task that arrived first of those that are ready, to be changed. */
  takeOldestReady(): Entry | undefined {
    const oldest = this.#ready.oldest();
    return oldest === undefined ? undefined : (this.#resident.at(oldest.seq) ?? this.#unpark(oldest.seq, oldest.next));
  }

  /** Creation time of that task. */
  get oldestReadyMs(): number | undefined {
    const oldest = this.#ready.oldest();
    if (oldest === undefined) return undefined;
    return this.#resident.at(oldest.seq)?.createdMs ?? [...this.#read([oldest.seq], "look")][0]?.createdMs;
  }

  /** When {@link takeDue} has something to return next. */
  get nextDueMs(): number | undefined {
    const [resident, parked] = [this.#timers.nextMs, this.#parked.nextDueMs];
    return resident === undefined || parked === undefined ? (resident ?? parked) : Math.min(resident, parked);
  }

  /** Reads the parked tasks that are due, a bounded number of them: {@link takeDue} returns them like any others. */
  unparkDue(nowMs: number): void {
    const due = this.#parked.takeDue(nowMs, MAX_DUE).filter((seq) => this.#parked.has(seq));
    const [first] = due;
    if (first !== undefined) this.#unpark(first, due);
  }

  /** A task whose timer has run out: its delay, its lease or its deadline. */
  takeDue(nowMs: number): Entry | undefined {
    return this.#timers.takeDue(nowMs);
  }

  add(entry: Entry): void {
    this.#keep(entry);
    this.#count(entry);
  }

  /** Takes in a task of which nothing but its place was read. */
  #wait(place: WaitingPlace): void {
    this.#parked.add(place);
    this.depths.add({ recipient: recipientOf(place.route), priority: place.priority, lease: null });
    if (place.ready) this.#ready.addPlace(place);
  }

  /** Takes in a task that was read whole. One that would lose its place in memory at once gets none. */
  #load(entry: Entry): void {
    if (this.#isFull && mayPark(entry)) this.#parked.park(entry, timeOf(entry));
    else this.#keep(entry);
    this.#count(entry);
  }

  /** Whether a task that waits leaves memory. */
  get #isFull(): boolean {
    return this.#resident.heapBytes > this.#residentBytes;
  }

  /** Gives a task its place in the order, and in what is counted. */
  #count(entry: Entry): void {
    this.depths.add(entry);
    this.verifying.add(entry);
    if (entry.state === "ready") this.#ready.add(entry);
    const { caller, sender, stored } = entry;
    // Of a call that was read from storage, nobody knows any more what its sender did.
    if (caller !== null && sender !== null)
      this.calls.add({ ...entry, sender }, stored || (this.depths.byRecipient.get(sender)?.running ?? 0) > 0);
  }

  /**
   * Leaves a task that waits to storage, where there are too many in memory. Storage must have it as it is.
   *
   * @returns whether the task was parked: its entry is not the task's any more
   */
  park(entry: Entry): boolean {
    if (!this.#isFull || !mayPark(entry)) return false;
    const { dueMs } = entry;
    this.#forget(entry);
    this.#parked.park(entry, dueMs);
    return true;
  }

  /** Ends the delay of a task. */
  makeReady(entry: Entry): void {
    entry.state = "ready";
    this.#ready.add(entry);
    this.setTimer(entry);
  }

  /** Takes the most urgent ready task out of the order; {@link lease} has to follow. */
  takeReady(routes: readonly string[], nowMs: number, ageingMs: number | null): Entry | undefined {
    return this.#ready.take(routes, nowMs, ageingMs);
  }

  /** Puts a task back that {@link takeReady} gave. */
  putBack(entry: Entry): void {
    this.#ready.add(entry);
  }

  lease(entry: Entry, lease: Lease): void {
    entry.state = "leased";
    this.#leased.hold(entry, lease);
    this.depths.start(entry);
    this.setTimer(entry);
  }

  /** Sets a lease that goes on with another end. */
  extend(entry: Entry, lease: Lease): void {
    entry.lease = lease;
    entry.unsure = false;
    this.setTimer(entry);
  }

  /** Ends the lease of a task, which has a proof and waits to be judged. */
  verify(entry: Entry, nowMs: number): void {
    this.#leased.release(entry, nowMs);
    this.depths.stop(entry);
    this.depths.verify(entry);
    entry.state = "verifying";
    this.verifying.add(entry);
    this.#resident.weigh(entry);
    this.setTimer(entry);
  }

  /** Ends the lease of a task, or its wait to be judged: it is ready again at `readyMs`. */
  requeue(entry: Entry, readyMs: number, nowMs: number): void {
    this.#stop(entry, nowMs);
    this.#resident.weigh(entry);
    entry.readyMs = readyMs;
    entry.state = readyMs > nowMs ? "delayed" : "ready";
    if (entry.state === "ready") this.#ready.add(entry);
    this.setTimer(entry);
  }

  /** Takes a finished task out of the queue. */
  remove(entry: Entry, nowMs: number): void {
    const wasReady = entry.state === "ready";
    this.#stop(entry, nowMs);
    if (wasReady) entry.waitedMs += Math.max(0, nowMs - entry.readyMs);
    entry.state = "finished";
    this.#forget(entry);
    if (wasReady) this.#ready.remove(entry);
    this.calls.delete(entry.taskId);
    this.depths.remove(entry);
  }

  #stop(entry: Entry, nowMs: number): void {
    if (entry.lease !== null) this.depths.stop(entry);
    this.#leased.release(entry, nowMs);
    if (entry.proof === undefined) return;
    this.depths.judged(entry);
    this.verifying.delete(entry);
    entry.proof = undefined;
    entry.work = undefined;
  }

  #keep(entry: Entry): void {
    this.#resident.add(entry);
    this.setTimer(entry);
  }

  #forget(entry: Entry): void {
    this.#timers.set(entry, Number.POSITIVE_INFINITY);
    this.#resident.delete(entry);
  }

  /**
   * Reads a parked task, and others with it, to be changed.
   *
   * @param next - the others; those that are not parked are left out
   * @throws Error where storage has no such task: memory has to be read from storage anew
   */
  #unpark(seq: number, next: readonly number[]): Entry {
    const seqs = new Set([seq, ...next.filter((one) => this.#parked.has(one))]);
    for (const task of this.#read([...seqs], "change")) {
      const entry = storedEntry(task, this.#parked.isReady(task.seq));
      this.#parked.delete(task.seq);
      this.#keep(entry);
    }
    const entry = this.#resident.at(seq);
    if (entry === undefined) throw new Error(`the task at ${seq} is not in storage`);
    return entry;
  }

  #parkedNamed(taskId: string, use: "change" | "look", entryOf: (task: Task) => Entry): Entry | undefined {
    const places = this.#parked.mayHave(taskId);
    const task = places.length === 0 ? undefined : [...this.#read(places, use)].find((one) => one.taskId === taskId);
    return task === undefined ? undefined : entryOf(task);
  }

  /** Sets the timer of a task anew, where what its time depends on has changed. */
  setTimer(entry: Entry): void {
    this.#timers.set(entry, timeOf(entry));
  }
}
