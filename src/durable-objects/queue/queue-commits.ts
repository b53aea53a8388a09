import type { GroupCommit } from "../../core/group-commit/group-commit.ts";
import type { FinishedTask } from "../../core/queue/task.ts";
import type { TaskQueue } from "../../core/queue/task-queue.ts";
import { entryJson, finishedJson } from "../../core/queue/task-view.ts";
import type { Waiters } from "../../core/queue/waiters.ts";
import type { AlarmClock } from "../shell/alarm-clock.ts";
import { newGroupCommit } from "../shell/group-commit.ts";
import { NotedNumbers } from "../shell/noted-numbers.ts";
import { Outbox } from "../shell/outbox.ts";
import { OutboxRelay, type RelayBindings } from "../shell/outbox-relay.ts";
import type { EventFollowers } from "./event-followers.ts";
import type { QueueOperation } from "./operation.ts";
import type { PendingCalls } from "./pending-calls.ts";
import { QueueRuntime, queueOf } from "./queue-runtime.ts";
import { OVERLOADED } from "./refusals.ts";
import { PASSING_MS, TaskStore } from "./task-store.ts";
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
  readonly env: RelayBindings;
  /** Of the object: `<ecosystem>/<queue>`. */
  readonly name: string;
  readonly ecosystem: string;
  readonly sql: SqlStorage;
  readonly alarms: AlarmClock;
  readonly transaction: <Result>(change: () => Result, reload: () => void) => Result;
  readonly keepAlive: (work: Promise<void>) => void;
  readonly receivers: () => CommitReceivers;
  /** Called after each commit that was written. */
  readonly committed: () => void;
}

/**
 * Makes changes of a queue: in memory and in one transaction, together with others that arrived in the same turn; then,
 * and only then, they are answered, and tasks go out to those who wait.
 */
export class QueueCommits {
  readonly store: TaskStore;
  readonly #options: QueueCommitsOptions;
  readonly #outbox: Outbox;
  readonly #numbers: NotedNumbers;
  readonly #relay: OutboxRelay;
  readonly #groups: GroupCommit<readonly QueueOperation[]>;
  #runtime: QueueRuntime;
  #passing: ReturnType<typeof setTimeout> | undefined;

  constructor(options: QueueCommitsOptions) {
    const { env, ecosystem, name, sql, alarms } = options;
    this.#options = options;
    this.store = new TaskStore(sql);
    this.#numbers = new NotedNumbers(this.store.notes, (epoch) => `ganglion.queue.${queueOf(name)}.${epoch}`);
    this.#outbox = new Outbox(sql, this.#numbers);
    this.#runtime = this.#open(Date.now());
    this.#relay = new OutboxRelay({
      env,
      ecosystem,
      outbox: this.#outbox,
      name: "queue",
      wakeBy: (atMs) => alarms.wakeBy(atMs),
    });
    this.#groups = newGroupCommit<readonly QueueOperation[]>({
      commit: (groups) => this.#commit(groups.flat(), false),
      weigh: (changes) => changes.reduce((sum, { weight }) => sum + weight, 0),
      refuse: (changes) => this.#refuse(changes),
    });
  }

  get runtime(): QueueRuntime {
    return this.#runtime;
  }

  get queue(): TaskQueue {
    return this.#runtime.queue;
  }

  /** @returns the task as JSON, or `null` */
  taskJson(taskId: string): string | null {
    const entry = this.queue.find(taskId);
    if (entry !== undefined) return entryJson(entry, this.store.payloadOf(entry));
    const finished = this.store.finished(taskId);
    return finished === undefined ? null : finishedJson(finished.record, finished.payload);
  }

  /** Makes changes in one transaction: all of them, or none. */
  submit(changes: readonly QueueOperation[]): void {
    this.#groups.add(changes);
  }

  /** What the object does when its alarm fires. */
  async alarm(): Promise<void> {
    this.#commit([], true);
    await this.#relay.run();
  }

  #commit(changes: readonly QueueOperation[], atAlarm: boolean): void {
    const { alarms, transaction, receivers, committed } = this.#options;
    const { waiters, leases, calls, sockets, followers } = receivers();
    const nowMs = Date.now();
    let answers: (() => void)[] = [];
    let finished: readonly { readonly record: FinishedTask }[] = [];
    try {
      transaction(
        () => {
          this.store.recall(changes.flatMap(({ ids }) => ids.filter((id) => this.queue.find(id) === undefined)));
          this.queue.advanceClock(nowMs);
          answers = changes.map(({ make }) => make(this.queue, nowMs));
          waiters.handOut(this.queue, nowMs);
          ({ finished } = this.#runtime.write(nowMs, atAlarm));
        },
        () => this.#reload(nowMs),
      );
    } catch (error) {
      // Nobody was answered, so all callers ask again.
      console.error("priority queue: a commit failed", this.#options.name, String(error));
      this.#refuse(changes);
      // Timers and hand-outs to those who wait were only in memory: a commit at the alarm makes them again.
      alarms.wakeBy(nowMs + OVERLOADED.retry_after_ms);
      return;
    }
    // Same turn, hence the same write to the disk: what is due has an alarm behind it, whatever crashes next.
    const due = this.#runtime.nextDueMs;
    if (due !== undefined) alarms.wakeBy(due);
    for (const answer of answers) answer();
    leases.answerServed();
    sockets.tellGiven();
    for (const { record } of finished) calls.finished(record);
    sockets.flush();
    followers.tell(this.#runtime.events);
    this.#relayFilled();
    committed();
    this.#writePassing();
  }

  #refuse(changes: readonly QueueOperation[]): void {
    for (const { refuse } of changes) refuse();
    this.#options.receivers().sockets.flush();
  }

  #reload(nowMs: number): void {
    const { leases, calls, sockets } = this.#options.receivers();
    for (const entry of this.store.passing) calls.lost(entry);
    this.store.reload();
    this.#numbers.reload();
    this.#outbox.forgetFilled();
    this.#runtime = this.#open(nowMs, this.#runtime);
    sockets.forgetGiven();
    leases.refuseServed();
  }

  #open(nowMs: number, before?: QueueRuntime): QueueRuntime {
    return new QueueRuntime({
      name: this.#options.name,
      store: this.store,
      outbox: this.#outbox,
      numbers: this.#numbers,
      nowMs,
      ...(before === undefined ? {} : { events: before.events }),
    });
  }

  /** Sees to it that calls which are only in memory do not stay so. */
  #writePassing(): void {
    if (this.#passing !== undefined || this.store.passing.length === 0) return;
    this.#passing = setTimeout(() => {
      this.#passing = undefined;
      this.#commit([], false);
    }, PASSING_MS);
  }

  #relayFilled(): void {
    if (!this.#outbox.takeFilled()) return;
    this.#relay.soon();
    this.#options.keepAlive(this.#relay.run());
  }
}
