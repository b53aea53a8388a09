import { isBoundTo } from "../../core/access/bindings.ts";
import type { HeapAccount } from "../../core/billing/heap-budget.ts";
import type { GroupCommit } from "../../core/group-commit/group-commit.ts";
import type { Entry } from "../../core/queue/entry.ts";
import type { Recipients, TasksQuery } from "../../core/queue/queries.ts";
import type { FinishedTask } from "../../core/queue/task.ts";
import type { TaskQueue } from "../../core/queue/task-queue.ts";
import { entryJson, finishedJson } from "../../core/queue/task-view.ts";
import type { Waiters } from "../../core/queue/waiters.ts";
import type { AlarmClock } from "../shell/alarm-clock.ts";
import { newGroupCommit } from "../shell/group-commit.ts";
import type { ObjectHeap } from "../shell/isolate-heap.ts";
import { logLine } from "../shell/log-line.ts";
import { NotedNumbers } from "../shell/noted-numbers.ts";
import { Outbox } from "../shell/outbox.ts";
import { OutboxRelay } from "../shell/outbox-relay.ts";
import type { QueueBindings } from "./bindings.ts";
import { BreakerStore } from "./breaker-store.ts";
import type { EventFollowers } from "./event-followers.ts";
import { FinishedExports } from "./finished-exports.ts";
import { HostSamples } from "./host-samples.ts";
import { LimitWatch } from "./limit-watch.ts";
import { listTasks } from "./list-tasks.ts";
import type { QueueOperation } from "./operation.ts";
import { pastEvents } from "./past-events.ts";
import type { PendingCalls } from "./pending-calls.ts";
import { ProofRelay } from "./proof-relay.ts";
import { QueueRuntime } from "./queue-runtime.ts";
import { queueOf } from "./queue-signals.ts";
import { isDataError, OVERLOADED } from "./refusals.ts";
import type { KnownOfEcosystem } from "./registration.ts";
import { ScheduleNotices } from "./schedule-notices.ts";
import { TaskNotes } from "./task-notes.ts";
import { TaskStore, UNWRITTEN_MS } from "./task-store.ts";
import type { WaitingLeases } from "./waiting-leases.ts";
import type { WorkSockets } from "./work-sockets.ts";

/** The parts of the queue's object that a commit answers. */
export interface CommitReceivers {
  readonly waiters: Waiters;
  readonly leases: WaitingLeases;
  readonly calls: PendingCalls;
  readonly sockets: WorkSockets;
  readonly followers: EventFollowers;
}

export interface QueueCommitsOptions {
  readonly env: QueueBindings;
  /** Name of the object: `<ecosystem>/<queue>`. */
  readonly name: string;
  readonly ecosystem: string;
  readonly sql: SqlStorage;
  readonly alarms: AlarmClock;
  readonly transaction: <Result>(change: () => Result, reload: () => void) => Result;
  readonly keepAlive: (work: Promise<void>) => void;
  readonly heap: ObjectHeap;
  readonly receivers: () => CommitReceivers;
  /** Called after each commit that was written, with whether a task was changed. */
  readonly committed: (changed: boolean) => void;
}

/**
 * Applies the operations of a queue, in memory and in one transaction with the others that arrived in the same turn. Only
 * after the transaction was written are they answered, and tasks go out to the workers that wait.
 */
export class QueueCommits {
  readonly store: TaskStore;
  readonly exports: FinishedExports;
  readonly taskNotes: TaskNotes;
  readonly hostSamples: HostSamples;
  readonly limits: LimitWatch;
  readonly #proofs: ProofRelay;
  readonly #breakerStore: BreakerStore;
  readonly #options: QueueCommitsOptions;
  readonly #outbox: Outbox;
  readonly #numbers: NotedNumbers;
  readonly #relay: OutboxRelay;
  readonly #notices: ScheduleNotices;
  readonly #groups: GroupCommit<readonly QueueOperation[]>;
  readonly #account: HeapAccount;
  #runtime: QueueRuntime;
  #unwrittenTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(options: QueueCommitsOptions) {
    const { env, ecosystem, name, sql, alarms, heap } = options;
    this.#options = options;
    this.store = new TaskStore(sql, () => this.queue.settings.keep_finished);
    this.#breakerStore = new BreakerStore(sql);
    const wakeBy = (atMs: number) => alarms.wakeBy(atMs);
    this.exports = new FinishedExports({ env, ecosystem, sql, wakeBy, queue: queueOf(name), store: this.store });
    this.#numbers = new NotedNumbers(this.store.notes, (epoch) => `ganglion.queue.${queueOf(name)}.${epoch}`);
    this.#outbox = new Outbox(sql, this.#numbers);
    const payloadOf = (entry: Entry) => this.store.payloadOf(entry);
    const find = (taskId: string) => this.queue.find(taskId);
    this.#proofs = new ProofRelay({ ...options, wakeBy, queue: queueOf(name), find, payloadOf });
    this.#runtime = this.#open(Date.now());
    this.#account = heap.account("tasks", () => this.queue.heapBytes + this.store.payloadChars);
    this.#relay = new OutboxRelay({ env, ecosystem, outbox: this.#outbox, name: "queue", wakeBy });
    if (!this.#outbox.empty) this.#relay.soon();
    this.#notices = new ScheduleNotices({ env, ecosystem, keepAlive: options.keepAlive });
    this.taskNotes = new TaskNotes({ env, ecosystem, values: this.store.notes, keepAlive: options.keepAlive });
    this.hostSamples = new HostSamples({
      ...options,
      wakeBy,
      queue: () => this.queue,
      waiters: () => options.receivers().waiters,
      handOut: () => this.#commit([], false),
    });
    this.limits = new LimitWatch({ ...options, queue: queueOf(name), wakeBy, commits: this });
    this.#groups = newGroupCommit<readonly QueueOperation[]>({
      commit: (groups) => this.#commit(groups.flat(), false),
      weigh: (operations) => operations.reduce((sum, { weight }) => sum + weight, 0),
      bytes: (operations) => operations.reduce((sum, { chars }) => sum + chars, 0),
      refuse: (operations) => this.#refuse(operations),
    });
  }

  /** The directory says what holds in the ecosystem. */
  async learn({ exporting, noting }: KnownOfEcosystem): Promise<void> {
    if (noting) this.taskNotes.hand();
    if (exporting) await this.exports.begin();
  }

  get runtime(): QueueRuntime {
    return this.#runtime;
  }

  get queue(): TaskQueue {
    return this.#runtime.queue;
  }

  /** Whether the queue knows the task, as one of these recipients. @param recipients - `undefined`: any */
  isOf(recipients: readonly string[] | undefined, taskId: string): boolean {
    if (recipients === undefined) return true;
    const task = this.queue.find(taskId) ?? this.store.done.find(taskId)?.record;
    return task !== undefined && isBoundTo(recipients, task.recipient);
  }

  /** @returns the task as JSON, or `null` */
  taskJson(taskId: string): string | null {
    const entry = this.queue.find(taskId);
    if (entry !== undefined) {
      const waits = { unplaced: this.hostSamples.unplaced(entry), ...this.#runtime.limitGate.of(entry) };
      return entryJson(entry, this.store.payloadOf(entry), waits);
    }
    const finished = this.store.done.find(taskId);
    return finished === undefined ? null : finishedJson(finished.record, finished.payload);
  }

  /** As {@link taskJson}, of these recipients alone. */
  taskOf(recipients: Recipients, taskId: string): string | null {
    return this.isOf(recipients, taskId) ? this.taskJson(taskId) : null;
  }

  /** Unfinished tasks in the order of their arrival, as JSON texts. */
  page({ limit, after, status, ...filter }: TasksQuery): { tasks: string[]; next: number | null } {
    const standings = status === undefined ? [] : [status];
    const { ids, next } = listTasks(this.store, { ...filter, standings }, after, limit);
    return { tasks: ids.flatMap((taskId) => this.taskJson(taskId) ?? []), next };
  }

  /** The latest events, of which at least `count` are there, also of before the object last woke. */
  eventsFor(count: number): QueueRuntime["events"] {
    const { events } = this.#runtime;
    if (!events.holds(count)) events.restore(pastEvents(this.store, events.sinceMs));
    return events;
  }

  /** Applies operations in one transaction: all of them, or none. */
  submit(operations: readonly QueueOperation[]): void {
    // One message may bring both: what ends tasks makes room.
    if (!operations.some(({ brings }) => brings) || !this.#isFull) return this.#groups.add(operations);
    this.#refuse(operations.filter(({ brings }) => brings));
    const others = operations.filter(({ brings }) => !brings);
    if (others.length > 0) this.#groups.add(others);
  }

  /** To be called when the object's alarm fires. */
  async alarm(): Promise<void> {
    this.#commit([], true);
    await this.#relayAll();
  }

  /** Delivers the outbox. @returns whether nothing is left of it */
  async deliver(): Promise<boolean> {
    await this.#relayAll();
    return this.#outbox.empty && this.#proofs.store.empty;
  }

  async #relayAll(): Promise<void> {
    await Promise.all([this.#relay.run(), this.exports.outbox.run(), this.#proofs.run()]);
  }

  #commit(operations: readonly QueueOperation[], atAlarm: boolean): void {
    const { alarms, transaction, receivers, committed } = this.#options;
    const { waiters, leases, calls, sockets, followers } = receivers();
    const nowMs = Date.now();
    let answers: (() => void)[] = [];
    let finished: readonly { readonly record: FinishedTask }[] = [];
    let changed = false;
    try {
      transaction(
        () => {
          this.store.done.prefetch(
            operations.flatMap(({ taskIds }) => taskIds.filter((id) => this.queue.find(id) === undefined)),
          );
          this.queue.advanceClock(nowMs);
          this.#runtime.limitGate.advanceClock(nowMs);
          answers = operations.map(({ apply }) => apply(this.queue, nowMs));
          if (atAlarm) this.#runtime.act(waiters, nowMs);
          this.hostSamples.loads.nowMs = nowMs;
          waiters.handOut(this.queue, nowMs);
          const changes = this.#runtime.write(nowMs, atAlarm);
          finished = [...changes.finished, ...changes.purged];
          this.exports.add(changes.finished);
          changed = changes.events.length > 0;
        },
        () => this.#reload(nowMs),
      );
    } catch (error) {
      // No operation was answered: all callers are asked to try again.
      logLine("error", "commit-failed", { object: "queue", name: this.#options.name, error });
      // One operation whose data cannot be processed must not refuse those that came with it. Where storage failed, it
      // would fail each time.
      if (operations.length > 1 && isDataError(error)) {
        for (const operation of operations) this.#commit([operation], false);
        return;
      }
      this.#refuse(operations);
      // Expired timers and handed-out tasks were only in memory: a commit at the alarm repeats them.
      alarms.wakeBy(nowMs + OVERLOADED.retry_after_ms);
      return;
    }
    // Same turn, hence the same write to the disk: the next due time has its alarm, even if a crash follows.
    const due = this.#runtime.nextDueMs;
    if (due !== undefined) alarms.wakeBy(due);
    for (const answer of answers) answer();
    leases.answerServed(this.taskNotes);
    sockets.sendGiven(this.taskNotes);
    for (const { record } of finished) calls.notifyFinished(record);
    this.#notices.send(finished);
    sockets.flush();
    followers.publish(this.#runtime.events);
    if (this.#outbox.takeFilled()) {
      this.#relay.soon();
      this.#options.keepAlive(this.#relay.run());
    }
    this.#proofs.committed();
    committed(changed);
    this.limits.follow();
    this.#writeUnwritten();
    this.hostSamples.committed(nowMs);
  }

  /** Whether what is in memory leaves no room for new tasks. */
  get #isFull(): boolean {
    return this.#account.full || this.#options.heap.isolateIsFull;
  }

  #refuse(operations: readonly QueueOperation[]): void {
    for (const { refuse } of operations) refuse();
    this.#options.receivers().sockets.flush();
  }

  #reload(nowMs: number): void {
    const { leases, calls, sockets } = this.#options.receivers();
    for (const entry of this.store.unwritten) calls.notifyLost(entry);
    this.store.reload();
    this.#proofs.store.reload();
    this.exports.outbox.reload();
    this.#numbers.reload();
    this.#outbox.forgetFilled();
    this.#runtime = this.#open(nowMs, this.#runtime);
    sockets.discardGiven();
    leases.refuseServed();
  }

  #open(nowMs: number, before?: QueueRuntime): QueueRuntime {
    return new QueueRuntime({
      name: this.#options.name,
      store: this.store,
      breakerStore: this.#breakerStore,
      proofs: this.#proofs.store,
      outbox: this.#outbox,
      numbers: this.#numbers,
      nowMs,
      full: () => this.#account.full,
      ...(before === undefined ? {} : { events: before.events }),
    });
  }

  /** Starts the timer after which calls that are only in memory are written. */
  #writeUnwritten(): void {
    if (this.#unwrittenTimer !== undefined || this.store.unwritten.length === 0) return;
    this.#unwrittenTimer = setTimeout(() => {
      this.#unwrittenTimer = undefined;
      this.#commit([], false);
    }, UNWRITTEN_MS);
  }
}
