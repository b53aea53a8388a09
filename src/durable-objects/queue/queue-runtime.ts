import { INTELLIGENCE_QUEUE } from "../../core/intelligence/call-types.ts";
import { MAIL_QUEUE } from "../../core/mail/api.ts";
import { isReceivedMail, MAIL_SETTINGS } from "../../core/mail/settings.ts";
import { CHECKS_QUEUE } from "../../core/queue/accept.ts";
import { type AlertChange, AlertData, AlertTracker, runningTimes } from "../../core/queue/alert-tracker.ts";
import { CallBreakers } from "../../core/queue/call-breakers.ts";
import type { QueueChanges } from "../../core/queue/change-tracker.ts";
import { deadlockText } from "../../core/queue/deadlock.ts";
import { EventTail } from "../../core/queue/event-tail.ts";
import { LimitGate, readClosedLimits } from "../../core/queue/limit-gate.ts";
import { LongNotices } from "../../core/queue/long-notices.ts";
import { QueuePause } from "../../core/queue/pause.ts";
import {
  DEFAULT_SETTINGS,
  type QueueSettings,
  readSettings,
  SETTINGS_WITH_BREAKERS,
} from "../../core/queue/queue-settings.ts";
import { type EverCounts, Statistics, StatisticsData } from "../../core/queue/statistics.ts";
import type { FinishedTask } from "../../core/queue/task.ts";
import { TaskQueue } from "../../core/queue/task-queue.ts";
import type { Waiters } from "../../core/queue/waiters.ts";
import type { NotedNumbers } from "../shell/noted-numbers.ts";
import type { Outbox } from "../shell/outbox.ts";
import type { Draft } from "../shell/outgoing-signal.ts";
import { readableOr } from "../shell/readable-rows.ts";
import type { BreakerStore } from "./breaker-store.ts";
import { judgeAtOnce } from "./judge-at-once.ts";
import { newLeaseId } from "./lease-id.ts";
import type { ProofStore } from "./proof-store.ts";
import {
  alertSignal,
  breakerSignal,
  deadlockSignal,
  failedLetter,
  queueOf,
  taskSignal,
  unreadableLetter,
  verdictSignal,
} from "./queue-signals.ts";
import type { UnreadableTask } from "./stored-tasks.ts";
import type { TaskStore } from "./task-store.ts";

/** Percentiles are checked for alerts once in this time, because merging them costs more than counting. */
const CHECK_MS = 2_000;
/** Statistics are written at the next alarm, and at the latest this time after they changed. */
const STATISTICS_MS = 30_000;
/** An object that is not called for ten seconds may sleep, and forgets what is not written: an alarm comes before that. */
const BEFORE_SLEEP_MS = 8_000;
/** A queue that was changed so short a time ago is busy, and does not sleep yet. */
const BUSY_MS = 2_000;
const WITHOUT_BREAKERS = { ...DEFAULT_SETTINGS, breaker_failures: null, breaker_rate: null };
/** Alerts that end by time alone are checked this often while nothing else happens. */
const ALERTS_MS = 60_000;

/** Whoever asks about code goes on without an answer: nobody waits there for those who cannot give one. */
function defaultsOf(queue: string): QueueSettings {
  if (queue === MAIL_QUEUE) return MAIL_SETTINGS;
  return queue === INTELLIGENCE_QUEUE ? SETTINGS_WITH_BREAKERS : DEFAULT_SETTINGS;
}

export interface QueueRuntimeOptions {
  /** Name of the queue's object: `<ecosystem>/<queue>`. */
  readonly name: string;
  readonly store: TaskStore;
  readonly breakerStore: BreakerStore;
  readonly proofs: ProofStore;
  readonly outbox: Outbox;
  readonly numbers: NotedNumbers;
  readonly nowMs: number;
  readonly events?: EventTail;
  /** Whether tasks take so much memory that no more are leased. */
  readonly full: () => boolean;
}

/**
 * A queue in memory with its statistics, alerts and events. All of it can be rebuilt from storage, except the statistics
 * of the last half minute before a crash.
 */
export class QueueRuntime {
  readonly queue: TaskQueue;
  readonly statistics: Statistics;
  readonly alerts: AlertTracker;
  readonly events: EventTail;
  readonly breakers: CallBreakers;
  /** Which limits are closed: tasks that name them are parked. */
  readonly limitGate: LimitGate;
  /** `undefined`: the queue gives out tasks. */
  pause: QueuePause | undefined;
  /** Until the last changes were written: a call whose time ended in a pause may be found to have ended with its end alone. */
  #pausedBefore: boolean;
  /** Counts since the queue began, as they are on the disk. */
  stored: EverCounts;
  readonly #longNotices: LongNotices;
  readonly #breakerStore: BreakerStore;
  readonly #store: TaskStore;
  readonly #proofs: ProofStore;
  readonly #outbox: Outbox;
  readonly #numbers: NotedNumbers;
  readonly #name: string;
  #countedSinceMs: number | undefined;
  /** When statistics were last looked at, and the queue was busy. */
  #lookedMs = 0;
  #changedMs = 0;
  #checkedMs = 0;
  #failures = 0;

  /** @param options.events - events of the runtime that this one replaces, so that their numbers go on */
  constructor({
    name,
    store,
    breakerStore,
    proofs,
    outbox,
    numbers,
    nowMs,
    full,
    events = new EventTail(nowMs),
  }: QueueRuntimeOptions) {
    this.events = events;
    this.#breakerStore = breakerStore;
    this.#name = name;
    this.#store = store;
    this.#proofs = proofs;
    this.#outbox = outbox;
    this.#numbers = numbers;
    const statistics = store.notes.read("statistics");
    const alerts = store.notes.read("alerts");
    const settings = store.notes.read("settings");
    this.statistics = new Statistics(
      readableOr("statistics of a queue", statistics, (text) => StatisticsData.parse(JSON.parse(text)), undefined),
      nowMs,
    );
    this.stored = this.statistics.ever;
    this.alerts = new AlertTracker(
      readableOr("alerts of a queue", alerts, (text) => AlertData.parse(JSON.parse(text)), undefined),
    );
    const closed = store.notes.read("limits");
    this.limitGate = new LimitGate(readableOr("closed limits", closed, readClosedLimits, undefined));
    const defaults = defaultsOf(queueOf(name));
    const read = (text: string) => readSettings(text, defaults);
    this.queue = new TaskQueue(readableOr("settings of a queue", settings, read, defaults), {
      epoch: numbers.epoch,
      nextSeq: store.nextSeq,
      tasks: store.tasks((row) => this.#setAside(row)),
      read: (seqs, use) => store.read(seqs, use),
      finished: (taskId) => store.done.recognise(taskId, Date.now()),
      isParked: (task) => this.limitGate.isParked(task),
      judge: (entry, accept, work) => judgeAtOnce(queueOf(name), () => store.payloadOf(entry), entry, accept, work),
      work: (seq) => proofs.work(seq),
      holdsBack: () => this.pause !== undefined || full(),
      newLeaseId,
      random: Math.random,
    });
    const pause = store.notes.read("paused");
    this.pause = readableOr("pause of a queue", pause, (text) => QueuePause.parse(JSON.parse(text)), undefined);
    this.#pausedBefore = this.pause !== undefined;
    // That nobody answers while the queue is paused says nothing about a recipient.
    const settingsOfBreakers = () => (this.#pausedBefore ? WITHOUT_BREAKERS : this.queue.settings);
    this.breakers = new CallBreakers(settingsOfBreakers, breakerStore.read());
    this.#longNotices = new LongNotices(this.queue);
  }

  /** When the queue has to act without a request. */
  get nextDueMs(): number | undefined {
    const counted =
      this.#countedSinceMs === undefined
        ? undefined
        : Math.min(this.#countedSinceMs + STATISTICS_MS, this.#lookedMs + BEFORE_SLEEP_MS);
    const alerts = this.alerts.endsByTime ? this.#checkedMs + ALERTS_MS : undefined;
    const limit = this.queue.settings.alert_task_ms;
    const slow = limit === null ? undefined : this.queue.longRunning.nextMs(limit);
    const times = [
      this.queue.nextDueMs,
      counted,
      alerts,
      slow,
      this.#longNotices.nextDueMs,
      this.limitGate.nextDueMs,
      this.queue.openCalls.dueMs,
    ].filter((time) => time !== undefined);
    return times.length === 0 ? undefined : Math.min(...times);
  }

  /** What is due at an alarm, before tasks are handed out: notices of long tasks, and the end of a deadlock. */
  act(waiters: Pick<Waiters, "hasRoom">, nowMs: number): void {
    this.#longNotices.enqueueDue(nowMs);
    const held = (recipient: string) => this.queue.depths.byRecipient.get(recipient)?.running ?? 0;
    const hasRoom = (recipient: string) => waiters.hasRoom(recipient);
    const deadlock = this.queue.openCalls.findDue({ held, hasRoom }, nowMs);
    if (deadlock === undefined) return;
    this.queue.cancel(deadlock.oldest.taskId, nowMs, { outcome: "failed", error: deadlockText(deadlock, nowMs) });
    this.emit(deadlockSignal(this.#name, deadlock, nowMs));
  }

  /**
   * Writes what the queue has changed, and what follows from it. Belongs into a transaction.
   *
   * @param atAlarm - statistics are written too, where they have changed
   */
  write(nowMs: number, atAlarm: boolean): QueueChanges {
    const changes = this.queue.drain();
    // Ids of tasks hold the epoch, which is stored with the first of them.
    if (changes.events.length > 0) this.#numbers.writeEpoch();
    this.#store.write(changes, this.queue.nextSeq, nowMs);
    this.#proofs.write(changes);
    for (const judged of changes.judged) this.emit(verdictSignal(this.#name, judged, nowMs));
    this.#store.forget(this.queue.park(changes.changed));
    for (const { task, event } of changes.events) this.events.add(task, event);
    for (const { record } of changes.finished) this.#count(record, nowMs);
    this.#writeBreakers(nowMs);
    this.#pausedBefore = this.pause !== undefined;
    this.#alert(changes, nowMs, atAlarm);
    this.#numbers.write();
    if (atAlarm && this.#countedSinceMs !== undefined) this.#writeStatistics(this.#countedSinceMs, nowMs);
    if (changes.events.length > 0) this.#changedMs = nowMs;
    return changes;
  }

  /** While the queue is busy, statistics are written less often. */
  #writeStatistics(sinceMs: number, nowMs: number): void {
    this.#lookedMs = nowMs;
    const isBusy = nowMs - sinceMs >= BEFORE_SLEEP_MS && nowMs - this.#changedMs < BUSY_MS;
    if (isBusy && nowMs - sinceMs < STATISTICS_MS) return;
    this.#store.notes.write("statistics", JSON.stringify(this.statistics));
    this.stored = this.statistics.ever;
    this.#countedSinceMs = undefined;
  }

  /** A row that cannot be read becomes a dead letter: the other tasks of the queue go on. */
  #setAside(row: UnreadableTask): void {
    this.#outbox.deadLetter(unreadableLetter(this.#name, row, this.#store.setAside(row.seq)));
  }

  #writeBreakers(nowMs: number): void {
    this.breakers.advanceClock(nowMs);
    const { stored, changes } = this.breakers.drain();
    this.#breakerStore.write(stored);
    for (const change of changes) this.emit(breakerSignal(this.#name, change));
  }

  #count(record: FinishedTask, nowMs: number): void {
    if (queueOf(this.#name) === CHECKS_QUEUE) this.#proofs.report(record);
    this.statistics.add(record);
    this.breakers.finished(record, nowMs);
    if (this.#countedSinceMs === undefined) {
      this.#countedSinceMs = nowMs;
      this.#lookedMs = nowMs;
    }
    const { signal_complete, signal_failed } = this.queue.settings;
    const good = record.outcome === "complete";
    if (good ? signal_complete : signal_failed && record.outcome !== "cancelled")
      this.emit(taskSignal(this.#name, record));
    if (record.outcome !== "failed" && record.outcome !== "expired") return;
    this.alerts.failed(nowMs);
    this.#failures++;
    // The failure of a call goes to its caller: it needs no dead letter. A message that was delivered and not acted on has come.
    // That of a check goes to its task.
    if (queueOf(this.#name) === CHECKS_QUEUE) return;
    if (record.caller !== null || isReceivedMail(queueOf(this.#name), record)) return;
    const payload = this.#store.done.find(record.taskId)?.payload ?? "null";
    this.#outbox.deadLetter(failedLetter(this.#name, record, payload));
  }

  #alert({ finished, changed, renewed }: QueueChanges, nowMs: number, atAlarm: boolean): void {
    const { settings, depths } = this.queue;
    const found: AlertChange[] = [];
    const limit = settings.alert_task_ms ?? Number.POSITIVE_INFINITY;
    const ran = ({ recipient, type }: { recipient: string; type: string }, ms: number) => {
      if (ms > limit) found.push(...this.alerts.ran(`${recipient}/${type}`, ms, settings, nowMs));
    };
    for (const { record } of finished) ran(record, record.ranMs);
    // A worker that extends its lease shows that the task still runs: its alert need not wait for the end of the task.
    for (const entries of [changed, renewed])
      for (const entry of entries) if (entry.lease !== null) ran(entry, nowMs - entry.lease.startedMs);
    // A task whose worker sends nothing is found at the alarm. Its alert stays raised as long as the task runs.
    if (atAlarm && settings.alert_task_ms !== null)
      for (const { entry, ms } of this.queue.longRunning.over(settings.alert_task_ms, nowMs)) ran(entry, ms);
    const checksPercentiles = atAlarm || (finished.length > 0 && nowMs - this.#checkedMs >= CHECK_MS);
    if (checksPercentiles) this.#checkedMs = nowMs;
    const kinds = checksPercentiles ? runningTimes(this.statistics) : undefined;
    found.push(
      ...this.alerts.check({ depth: depths.queued, ...(kinds === undefined ? {} : { kinds }) }, settings, nowMs),
    );
    if (found.length === 0 && this.#failures === 0) return;
    this.#failures = 0;
    for (const change of found) this.emit(alertSignal(this.#name, change, nowMs));
    this.#store.notes.write("alerts", JSON.stringify(this.alerts));
  }

  /** Belongs into a transaction. */
  emit(draft: Draft): void {
    this.#outbox.emit(draft);
  }
}
