import { HOSTS_QUEUE } from "../../core/hosts/command-queue.ts";
import { INTELLIGENCE_QUEUE } from "../../core/intelligence/call-types.ts";
import { pruneDeep } from "../../core/json/prune-deep.ts";
import { type AlertChange, AlertData, AlertTracker, alertText } from "../../core/queue/alert-tracker.ts";
import { breakerFacts } from "../../core/queue/breaker-status.ts";
import { CallBreakers } from "../../core/queue/call-breakers.ts";
import type { QueueChanges } from "../../core/queue/change-tracker.ts";
import { EventTail } from "../../core/queue/event-tail.ts";
import { DEFAULT_SETTINGS, readSettings, SETTINGS_WITH_BREAKERS } from "../../core/queue/queue-settings.ts";
import { Statistics, StatisticsData } from "../../core/queue/statistics.ts";
import type { FinishedTask, TaskCause } from "../../core/queue/task.ts";
import { TaskQueue } from "../../core/queue/task-queue.ts";
import { finishedJson } from "../../core/queue/task-view.ts";
import { traceOf } from "../../core/signals/trace.ts";
import type { NotedNumbers } from "../shell/noted-numbers.ts";
import type { Outbox } from "../shell/outbox.ts";
import type { Draft } from "../shell/outgoing-signal.ts";
import { readableOr } from "../shell/readable-rows.ts";
import type { BreakerStore } from "./breaker-store.ts";
import { newLeaseId } from "./lease-id.ts";
import type { TaskStore, UnreadableTask } from "./task-store.ts";

/** Largest result that goes into a signal, in characters. A larger result can be read from the task. */
const RESULT_CHARS = 16_384;
/** Percentiles are checked for alerts once in this time, because merging them costs more than counting. */
const CHECK_MS = 2_000;
/** Statistics are written at the next alarm, and at the latest this time after they changed. */
export const STATISTICS_MS = 30_000;
/** Alerts that end by time alone are checked this often while nothing else happens. */
const ALERTS_MS = 60_000;

export interface QueueRuntimeOptions {
  /** Name of the queue's object: `<ecosystem>/<queue>`. */
  readonly name: string;
  readonly store: TaskStore;
  readonly breakerStore: BreakerStore;
  readonly outbox: Outbox;
  readonly numbers: NotedNumbers;
  readonly nowMs: number;
  readonly events?: EventTail;
  /** Whether tasks take so much memory that no more are leased. */
  readonly full: () => boolean;
}

/**
 * A queue in memory with its statistics, alerts and events. All of it can be rebuilt from storage, except the statistics
 * and events of the last half minute before a crash.
 */
export class QueueRuntime {
  readonly queue: TaskQueue;
  readonly statistics: Statistics;
  readonly alerts: AlertTracker;
  readonly events: EventTail;
  readonly breakers: CallBreakers;
  readonly #breakerStore: BreakerStore;
  readonly #store: TaskStore;
  readonly #outbox: Outbox;
  readonly #numbers: NotedNumbers;
  readonly #name: string;
  #countedSinceMs: number | undefined;
  #checkedMs = 0;
  #failures = 0;

  /** @param options.events - events of the runtime that this one replaces, so that their numbers go on */
  constructor({
    name,
    store,
    breakerStore,
    outbox,
    numbers,
    nowMs,
    full,
    events = new EventTail(),
  }: QueueRuntimeOptions) {
    this.events = events;
    this.#breakerStore = breakerStore;
    this.#name = name;
    this.#store = store;
    this.#outbox = outbox;
    this.#numbers = numbers;
    const statistics = store.notes.read("statistics");
    const alerts = store.notes.read("alerts");
    const settings = store.notes.read("settings");
    this.statistics = new Statistics(
      readableOr("statistics of a queue", statistics, (text) => StatisticsData.parse(JSON.parse(text)), undefined),
      nowMs,
    );
    this.alerts = new AlertTracker(
      readableOr("alerts of a queue", alerts, (text) => AlertData.parse(JSON.parse(text)), undefined),
    );
    // Whoever asks about code goes on without an answer: nobody waits there for those who cannot give one.
    const defaults = queueOf(name) === INTELLIGENCE_QUEUE ? SETTINGS_WITH_BREAKERS : DEFAULT_SETTINGS;
    const read = (text: string) => readSettings(text, defaults);
    this.queue = new TaskQueue(readableOr("settings of a queue", settings, read, defaults), {
      epoch: numbers.epoch,
      nextSeq: store.nextSeq,
      tasks: store.tasks((row) => this.#setAside(row)),
      read: (seqs) => store.read(seqs),
      finished: (taskId) => store.finished(taskId)?.record,
      full,
      newLeaseId,
      random: Math.random,
    });
    this.breakers = new CallBreakers(() => this.queue.settings, breakerStore.read());
  }

  /** When the queue has to act without a request. */
  get nextDueMs(): number | undefined {
    const counted = this.#countedSinceMs === undefined ? undefined : this.#countedSinceMs + STATISTICS_MS;
    const alerts = this.alerts.endsByTime ? this.#checkedMs + ALERTS_MS : undefined;
    const limit = this.queue.settings.alert_task_ms;
    const slow = limit === null ? undefined : this.queue.longRunning.nextMs(limit);
    const times = [this.queue.nextDueMs, counted, alerts, slow].filter((time) => time !== undefined);
    return times.length === 0 ? undefined : Math.min(...times);
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
    this.#store.forget(this.queue.park(changes.changed));
    for (const { task, event } of changes.events) this.events.add(task, event);
    for (const { record } of changes.finished) this.#count(record, nowMs);
    this.#writeBreakers(nowMs);
    this.#alert(changes, nowMs, atAlarm);
    this.#numbers.write();
    if (atAlarm && this.#countedSinceMs !== undefined) {
      this.#store.notes.write("statistics", JSON.stringify(this.statistics));
      this.#countedSinceMs = undefined;
    }
    return changes;
  }

  /** A row that cannot be read becomes a dead letter: the other tasks of the queue go on. */
  #setAside({ seq, terms, progress, error }: UnreadableTask): void {
    const payload = this.#store.setAside(seq).slice(0, RESULT_CHARS);
    this.#outbox.deadLetter({
      id: `${this.#name}.unreadable.${seq}`,
      kind: "task",
      task: { queue: queueOf(this.#name), stored: { seq, terms, progress, payload } },
      error: `the stored task could not be read: ${error}`,
      daemon: `ganglion/queue/${queueOf(this.#name)}`,
    });
  }

  #writeBreakers(nowMs: number): void {
    this.breakers.advanceClock(nowMs);
    const { stored, changes } = this.breakers.drain();
    this.#breakerStore.write(stored);
    for (const change of changes)
      this.#emit({
        signal: "Q_QUEUE_BREAKER",
        source: `ganglion/queue/${queueOf(this.#name)}`,
        timestampMs: change.atMs,
        facts: breakerFacts(queueOf(this.#name), change),
      });
  }

  #count(record: FinishedTask, nowMs: number): void {
    this.statistics.add(record);
    this.breakers.finished(record, nowMs);
    this.#countedSinceMs ??= nowMs;
    const { signal_complete, signal_failed } = this.queue.settings;
    const good = record.outcome === "complete";
    if (good ? signal_complete : signal_failed && record.outcome !== "cancelled")
      this.#emit(taskSignal(this.#name, record));
    if (record.outcome !== "failed" && record.outcome !== "expired") return;
    this.alerts.failed(nowMs);
    this.#failures++;
    // The failure of a call goes to its caller: it needs no dead letter.
    if (record.caller !== null) return;
    const payload = this.#store.finished(record.taskId)?.payload ?? "null";
    this.#outbox.deadLetter({
      id: `${this.#name}.${record.taskId}.${record.seq}`,
      kind: "task",
      task: asJson(finishedJson(record, payload)),
      error: record.error ?? record.outcome,
      daemon: `ganglion/queue/${queueOf(this.#name)}`,
    });
  }

  #alert({ finished, changed, renewed }: QueueChanges, nowMs: number, atAlarm: boolean): void {
    const { settings, depths } = this.queue;
    const found: AlertChange[] = [];
    const subject = ({ recipient, type }: { recipient: string; type: string }) => `${recipient}/${type}`;
    for (const { record } of finished) found.push(...this.alerts.ran(subject(record), record.ranMs, settings, nowMs));
    // A worker that extends its lease shows that the task still runs: its alert need not wait for the end of the task.
    for (const entry of [...changed, ...renewed]) {
      if (entry.lease === null) continue;
      found.push(...this.alerts.ran(subject(entry), nowMs - entry.lease.startedMs, settings, nowMs));
    }
    // A task whose worker sends nothing is found at the alarm. Its alert stays raised as long as the task runs.
    const limit = settings.alert_task_ms;
    if (atAlarm && limit !== null) {
      for (const { entry, ms } of this.queue.longRunning.over(limit, nowMs))
        found.push(...this.alerts.ran(subject(entry), ms, settings, nowMs));
    }
    const checksPercentiles = atAlarm || (finished.length > 0 && nowMs - this.#checkedMs >= CHECK_MS);
    if (checksPercentiles) this.#checkedMs = nowMs;
    const kinds = checksPercentiles
      ? this.statistics.series().map((one) => ({
          subject: subject(one),
          tasks: one.running.total,
          p95Ms: one.running.quantile(0.95) ?? 0,
        }))
      : undefined;
    found.push(
      ...this.alerts.check({ depth: depths.queued, ...(kinds === undefined ? {} : { kinds }) }, settings, nowMs),
    );
    if (found.length === 0 && this.#failures === 0) return;
    this.#failures = 0;
    for (const change of found) this.#emit(alertSignal(this.#name, change, nowMs));
    this.#store.notes.write("alerts", JSON.stringify(this.alerts));
  }

  #emit(draft: Draft): void {
    this.#outbox.emit(draft);
  }
}

/** What was stored before its depth was limited is cut; what is damaged stays text. One task stops no commit. */
function asJson(text: string): unknown {
  try {
    return pruneDeep(JSON.parse(text));
  } catch {
    return text;
  }
}

export const queueOf = (name: string) => name.slice(name.indexOf("/") + 1);

function taskSignal(name: string, record: FinishedTask): Draft {
  const good = record.outcome === "complete";
  const { taskId, recipient, type, sender, attempt, worker, waitedMs, ranMs, resultJson, error } = record;
  // What hosts answer to commands, such as lines of a log, is for those who may command them.
  const open = queueOf(name) !== HOSTS_QUEUE;
  const small = open && resultJson !== null && resultJson.length <= RESULT_CHARS;
  return {
    signal: good ? "Q_TASK_COMPLETE" : "Q_TASK_FAILED",
    source: `ganglion/queue/${queueOf(name)}`,
    timestampMs: record.finishedMs,
    facts: {
      queue: queueOf(name),
      task_id: taskId,
      recipient,
      type,
      sender,
      attempts: attempt,
      worker,
      waited_ms: waitedMs,
      ran_ms: ranMs,
      ...(good ? (small ? { result: asJson(resultJson) } : {}) : { outcome: record.outcome, error }),
    },
    ...(record.cause === null ? {} : follows(record.cause, `${name}:${taskId}:${record.seq}`)),
  };
}

/** A task is not a signal: the signal about its end names the signal that led to the task as its cause. */
function follows({ id, trace, depth }: TaskCause, own: string): Pick<Draft, "cause" | "trace" | "depth"> {
  return { cause: id, trace: traceOf(own, { id, trace }), depth };
}

function alertSignal(
  name: string,
  { rule, subject, state, severity, value, limit, raisedMs }: AlertChange,
  nowMs: number,
): Draft {
  return {
    signal: "Q_QUEUE_ALERT",
    source: `ganglion/queue/${queueOf(name)}`,
    timestampMs: nowMs,
    facts: {
      queue: queueOf(name),
      rule,
      subject,
      state,
      severity,
      value: Math.round(value),
      limit,
      raised_at: new Date(raisedMs).toISOString(),
      ...alertText(queueOf(name), { rule, subject, state, value, limit }),
    },
  };
}
