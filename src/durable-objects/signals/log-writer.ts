import type { Pace } from "../../core/deployment/profile.ts";
import type { GroupCommit } from "../../core/group-commit/group-commit.ts";
import { DailyBytes } from "../../core/quotas/daily-bytes.ts";
import type { Excess } from "../../core/quotas/excess.ts";
import type { QuotaVariables } from "../../core/quotas/token-quotas.ts";
import type {
  AppendOutcome,
  AppendRequest,
  LogDamage,
  LogStatus,
  Overloaded,
  ProducerRecord,
} from "../../core/signals/api.ts";
import type { LogBase } from "../../core/signals/log/log-base.ts";
import { type Commit, LogState } from "../../core/signals/log/log-state.ts";
import type { StoredSignal } from "../../core/signals/log/number-check.ts";
import { expiredSlices, isSliceOver, type Retention, sliceTimes } from "../../core/signals/log/retention.ts";
import type { Segment } from "../../core/signals/log/segment.ts";
import { newEpoch } from "../shell/epoch.ts";
import { newGroupCommit } from "../shell/group-commit.ts";
import type { ObjectHeap } from "../shell/isolate-heap.ts";
import { logLine } from "../shell/log-line.ts";
import { AppendGatherer, bytesOf } from "./append-gatherer.ts";
import { closeZone } from "./close-zone.ts";
import { LogBudget } from "./log-budget.ts";
import { damageStatus, logDamaged } from "./log-damaged.ts";
import { type Dropped, logTruncated } from "./log-truncated.ts";
import { RecentIds } from "./recent-ids.ts";
import type { SegmentStore } from "./segment-store.ts";

interface WaitingAppend {
  readonly request: AppendRequest;
  /** Called once, in the turn in which the group was written. */
  readonly answer: (outcome: AppendOutcome) => void;
  /** Of the facts of its signals, about. */
  readonly bytes: number;
}

export interface LogWriterOptions {
  readonly ecosystem: string;
  readonly store: SegmentStore;
  readonly sql: SqlStorage;
  readonly retention: Retention;
  /** Variables of the deployment. */
  readonly quotas: QuotaVariables;
  readonly pace: Pace;
  readonly heap: ObjectHeap;
  /** Bytes that the log's storage takes. */
  readonly databaseSize: () => number;
  readonly transaction: <Result>(change: () => Result, reload: () => void) => Result;
  /** Stores another base in the place of one that cannot be read. */
  readonly replaceBase: () => LogBase;
  /** Looks up what the log holds under a number of a producer. */
  readonly stored: StoredSignal;
  /** Rows were found that cannot be read; the log tells of them by a signal. */
  readonly damageFound: () => void;
  /** Called with the written segments, in the turn of the write and before the callers are answered. */
  readonly written: (segments: readonly Segment[], nowMs: number) => void;
}

/**
 * Writes appends in groups: the core's `LogState` numbers the signals, the store writes the segments, and callers are
 * answered when both are done. Opens the slices of the retention and drops expired ones.
 */
export class LogWriter {
  readonly #options: LogWriterOptions;
  readonly #groups: GroupCommit<WaitingAppend>;
  readonly #gatherer: AppendGatherer<WaitingAppend>;
  readonly budget: LogBudget;
  #state: LogState;
  /** Bytes of the segments of the current slice, about. */
  #sliceBytes = 0;
  #droppedForSize = 0;
  readonly #daily: DailyBytes;
  readonly #ids: RecentIds;

  constructor(options: LogWriterOptions) {
    this.#options = options;
    this.#daily = new DailyBytes(options.quotas);
    this.#ids = new RecentIds(options.store);
    this.#state = this.#restore();
    options.heap.account("ids", () => this.#state.heapBytes.ids);
    options.heap.account("producers", () => this.#state.heapBytes.producers);
    this.#groups = newGroupCommit<WaitingAppend>({
      commit: (appends) => this.#answer(appends),
      weigh: ({ request }) => request.signals.length,
      bytes: ({ bytes }) => bytes,
      refuse: ({ answer }) => answer(overloaded("more signals are waiting to be written than the log may hold", 250)),
    });
    this.budget = new LogBudget(options.sql, this);
    this.#gatherer = new AppendGatherer(options.pace.groups, (appends) => this.#groups.addAll(appends));
    options.store.damaged.onFound = () => this.#tellDamage();
  }

  /** Tells this log from every other, also of the same ecosystem. */
  get epoch(): string {
    return this.#state.epoch;
  }

  get headSeq(): number {
    return this.#state.headSeq;
  }

  /** Of the log's status: its size, and what of it cannot be read. */
  get size(): Pick<LogStatus, "database_bytes" | "limit_bytes" | "dropped_for_size" | "damaged"> {
    const { databaseSize, retention } = this.#options;
    return {
      database_bytes: databaseSize(),
      limit_bytes: retention.bytes,
      dropped_for_size: this.#droppedForSize,
      ...damageStatus(this.#damage()),
    };
  }

  producers(host: string | undefined, after: string, limit: number): ProducerRecord[] {
    return this.#state.producers(host, after, limit);
  }

  /** Tokens and hosts that sent more today than one may. */
  get excess(): Excess[] {
    return this.#daily.excess(Date.now());
  }

  /** Takes the next number of a producer for its first. @returns whether the producer was known */
  forgetProducer(producer: string): boolean {
    const { store, transaction } = this.#options;
    const current = store.slices.at(-1)?.slice;
    if (current === undefined || !this.#state.forgetProducer(producer)) return false;
    // With a zone: what is read back after a restart are the pages, and the headers behind the last zone.
    transaction(
      () => store.write(current, [], closeZone(this.#state, store, true), this.#state.takeProducers()),
      () => this.reread(),
    );
    return true;
  }

  /** Reads the state back from the disk: memory is ahead of it after a failure, and behind where rows were changed. */
  reread(): void {
    const { receivedMs } = this.#state;
    this.#options.store.reload();
    this.#ids.forget();
    this.#state = this.#restore();
    this.#state.advanceClock(receivedMs);
  }

  /** Advances the log's clock. @returns the earliest received time of the next signal */
  advanceClock(nowMs: number): number {
    return this.#state.advanceClock(nowMs);
  }

  /** @param answer - called once, in the turn in which the group was written */
  append(request: AppendRequest, answer: (outcome: AppendOutcome) => void): void {
    const bytes = bytesOf(request);
    const sender = senderOf(request);
    const nowMs = Date.now();
    const over = sender === undefined ? undefined : this.#daily.take(sender, bytes, nowMs);
    const add = (left: AppendRequest, done: typeof answer) =>
      this.#gatherer.add({ request: left, answer: done, bytes });
    if (over === undefined) this.budget.admit(request, this.#daily.telling(sender, nowMs, answer), add);
    else answer({ overloaded: true, detail: over.problem.detail ?? "", ...over });
  }

  /** Drops slices older than the retention, for a log to which no append comes that would drop them. */
  retain(): void {
    if (this.#options.store.slices.length > 0) this.#commit([]);
  }

  #answer(appends: readonly WaitingAppend[]): void {
    const outcomes = this.#commit(appends.map(({ request }) => request));
    appends.forEach(({ answer }, place) => {
      const outcome = outcomes[place];
      if (outcome !== undefined) answer(outcome);
    });
    this.#gatherer.written(appends, Date.now());
  }

  #commit(requests: readonly AppendRequest[]): readonly AppendOutcome[] {
    const nowMs = Date.now();
    try {
      const { segments, results } = this.#write(requests, nowMs);
      if (segments.length > 0) this.#options.written(segments, nowMs);
      return results;
    } catch (error) {
      // Every caller is refused, and sends again.
      logLine("error", "commit-failed", { ecosystem: this.#options.ecosystem, object: "signals", error });
      this.reread();
      return requests.map(() => overloaded("the log could not be written", 1_000));
    }
  }

  #write(requests: readonly AppendRequest[], nowMs: number): Commit {
    const { store, transaction } = this.#options;
    this.#ids.prepare(this.#state, requests, nowMs);
    const { slice, dropped } = this.#sliceAt(nowMs);
    // Written in the turn in which the slices were dropped, and storage makes the writes of a turn durable together.
    const told = dropped === undefined ? requests : [...requests, logTruncated(dropped, this.#state)];
    const commit = this.#state.append(told, nowMs, this.#options.stored, this.budget.mayMiss);
    const zone = closeZone(this.#state, store);
    const write = () =>
      store.write(slice, commit.segments, zone, zone === undefined ? [] : this.#state.takeProducers());
    // A single row is written or not even without a transaction, which would cost a twentieth of the whole append.
    if (commit.segments.length > 1 || zone !== undefined) transaction(write, RELOADED_BELOW);
    else write();
    for (const { lines } of commit.segments) for (const line of lines) this.#sliceBytes += line.length;
    return { segments: commit.segments, results: commit.results.slice(0, requests.length) };
  }

  /**
   * The slice for signals that are received now; opens it where needed, and drops slices that are too old, or that the
   * storage has no room for.
   *
   * @returns also what was dropped for want of room
   */
  #sliceAt(nowMs: number): { readonly slice: number; readonly dropped?: Dropped } {
    const { store, retention, databaseSize, transaction } = this.#options;
    const receivedMs = this.#state.receive(nowMs);
    const current = store.slices.at(-1);
    if (current !== undefined && !isSliceOver(current, this.#sliceBytes, receivedMs, retention)) return current;
    // Numbers of slices are names of tables and say nothing of time: earlier versions took them from the clock.
    const slice = (current?.slice ?? 0) + 1;
    let dropped: Dropped | undefined;
    transaction(() => {
      const zone = closeZone(this.#state, store, true);
      // Also where no zone was open: what an earlier version kept in its zones and bases is stored in pages from now on.
      const producers = this.#state.takeProducers(receivedMs - retention.ms);
      if (current !== undefined) store.write(current.slice, [], zone, producers);
      const times = sliceTimes(receivedMs, retention);
      const expired = expiredSlices([...store.slices, times], receivedMs, retention);
      for (const { slice: old } of store.slices.slice(0, expired)) store.dropSlice(old);
      const signals = this.#dropForSize();
      const droppedForSize = this.#droppedForSize + signals;
      const bytes = databaseSize();
      const { endsMs } = times;
      store.openSlice(slice, { ...this.#state.base(), receivedMs, endsMs, bytes, droppedForSize });
      const oldestSeq = store.slices[0]?.firstSeq ?? 0;
      if (signals > 0) dropped = { signals, total: droppedForSize, oldestSeq, bytes, limit: retention.bytes };
    }, RELOADED_BELOW);
    this.#sliceBytes = 0;
    this.#droppedForSize = dropped?.total ?? this.#droppedForSize;
    return dropped === undefined ? { slice } : { slice, dropped };
  }

  /** Drops the oldest slices while the storage is too full. @returns the number of their signals */
  #dropForSize(): number {
    const { store, retention, databaseSize } = this.#options;
    const end = this.#state.headSeq + 1;
    const firstSeq = store.slices[0]?.firstSeq ?? end;
    for (let oldest = store.slices[0]; oldest !== undefined; oldest = store.slices[0]) {
      if (databaseSize() <= retention.bytes) break;
      store.dropSlice(oldest.slice);
    }
    return (store.slices[0]?.firstSeq ?? end) - firstSeq;
  }

  #damage(): readonly LogDamage[] {
    const { slices, damaged } = this.#options.store;
    return damaged.list(slices[0]?.firstSeq ?? 0, slices[0]?.slice ?? 0);
  }

  #tellDamage(): void {
    const { store, damageFound } = this.#options;
    const found = store.damaged.take();
    if (found.length === 0) return;
    damageFound();
    this.append(logDamaged(found, this.#damage().length, this.epoch, Date.now()), () => undefined);
  }

  #restore(): LogState {
    const { ecosystem, store } = this.#options;
    const stored = store.load();
    const base = stored === undefined ? undefined : (stored.base ?? this.#options.replaceBase());
    this.#droppedForSize = base?.droppedForSize ?? 0;
    // More than the segments alone, where other rows of the log have grown: a slice may end a little earlier for that.
    this.#sliceBytes = Math.max(0, this.#options.databaseSize() - (base?.bytes ?? Number.POSITIVE_INFINITY));
    if (stored === undefined || base === undefined)
      return new LogState(ecosystem, { epoch: newEpoch(), nextSeq: 1, receivedMs: 0 });
    const state = new LogState(ecosystem, base);
    const damaged = state.restore(stored.zone, stored.headers, stored.producers, () => store.zones());
    for (const page of damaged) store.damaged.note("producers", page, "no list of producers and their last numbers");
    return state;
  }
}

/** `#commit` catches a failure of the whole group and reloads the state there. */
const RELOADED_BELOW = () => undefined;

/** Who sent a request, as an excess names it; `undefined`: the edge itself. */
function senderOf({ owner, producer }: AppendRequest): string | undefined {
  if (owner === undefined) return undefined;
  return producer === undefined ? `token:${owner}` : `host:${owner}`;
}

function overloaded(detail: string, retryAfterMs: number): Overloaded {
  return { overloaded: true, retry_after_ms: retryAfterMs, detail };
}
