import * as z from "zod";
import type { Writable } from "../collections/writable.ts";
import { BucketCounts, Buckets, DURATION_SECONDS } from "../numbers/bucket-counts.ts";
import { LogSketch } from "../numbers/log-sketch.ts";
import { SlowTask } from "./api.ts";
import type { FinishedTask } from "./task.ts";

/** Number of slowest tasks that are remembered. */
const SLOWEST = 100;
/** Percentiles cover this period and the one before. Comparing the two shows which tasks have become slower. */
export const PERIOD_MS = 3_600_000;
/** Most pairs of recipient and type that are counted apart in a period; further pairs are counted together. */
const MAX_SERIES = 500;

export interface Series {
  readonly recipient: string;
  readonly type: string;
  readonly complete: number;
  readonly failed: number;
  readonly waitedMs: number;
  readonly ranMs: number;
  readonly waiting: LogSketch;
  readonly running: LogSketch;
}

interface Period {
  readonly startedMs: number;
  readonly series: Map<string, Writable<Series>>;
}

const Sketch = z.array(z.number()).readonly();
const SeriesData = z.object({
  recipient: z.string(),
  type: z.string(),
  complete: z.number(),
  failed: z.number(),
  waitedMs: z.number(),
  ranMs: z.number(),
  waiting: Sketch,
  running: Sketch,
});
const PeriodData = z.tuple([z.number(), z.array(SeriesData)]);
type PeriodData = z.infer<typeof PeriodData>;

const OutcomeCounts = z.array(z.tuple([z.string(), z.number()])).readonly();

/** Counted since the queue began, of all recipients and types together: for metrics, of which none may ever fall. */
const EverCounts = z.object({
  /** By outcome, calls included. */
  ended: OutcomeCounts,
  calls: OutcomeCounts,
  /** In seconds. */
  waiting: Buckets,
  running: Buckets,
});
export type EverCounts = Readonly<z.infer<typeof EverCounts>>;

/** Statistics as they are stored. */
export const StatisticsData = z.object({
  current: PeriodData,
  previous: PeriodData,
  slowest: z.array(SlowTask),
  totals: z.array(z.tuple([z.string(), z.number(), z.number()])),
  /** Absent: an earlier version wrote the statistics. */
  ever: EverCounts.optional(),
});
export type StatisticsData = z.infer<typeof StatisticsData>;

/** How long the tasks of a queue wait and run, by recipient and type. */
export class Statistics {
  #current: Period;
  #previous: Period;
  #slowest: SlowTask[];
  /** By recipient, since the queue began. */
  readonly totals = new Map<string, { complete: number; failed: number }>();
  readonly #ended: Map<string, number>;
  readonly #calls: Map<string, number>;
  readonly #waited: BucketCounts;
  readonly #ran: BucketCounts;

  constructor(data: StatisticsData | undefined, nowMs: number) {
    this.#current = data === undefined ? { startedMs: nowMs, series: new Map() } : periodOf(data.current);
    this.#previous = data === undefined ? { startedMs: nowMs, series: new Map() } : periodOf(data.previous);
    this.#slowest = [...(data?.slowest ?? [])];
    for (const [recipient, complete, failed] of data?.totals ?? []) this.totals.set(recipient, { complete, failed });
    this.#ended = new Map(data?.ever?.ended);
    this.#calls = new Map(data?.ever?.calls);
    this.#waited = new BucketCounts(DURATION_SECONDS, data?.ever?.waiting);
    this.#ran = new BucketCounts(DURATION_SECONDS, data?.ever?.running);
    if (data === undefined || data.ever !== undefined) return;
    for (const { complete, failed } of this.totals.values()) {
      count(this.#ended, "complete", complete);
      count(this.#ended, "failed", failed);
    }
  }

  get ever(): EverCounts {
    return {
      ended: [...this.#ended],
      calls: [...this.#calls],
      waiting: this.#waited.toJSON(),
      running: this.#ran.toJSON(),
    };
  }

  add({ taskId, recipient, type, outcome, finishedMs, waitedMs, ranMs, attempt, caller }: FinishedTask): void {
    this.turn(finishedMs);
    count(this.#ended, outcome);
    if (caller !== null) count(this.#calls, outcome);
    this.#waited.add(waitedMs / 1_000);
    if (attempt > 0) this.#ran.add(ranMs / 1_000);
    const good = outcome === "complete";
    const series = this.#seriesOf(recipient, type);
    series.complete += good ? 1 : 0;
    series.failed += good ? 0 : 1;
    series.waitedMs += waitedMs;
    series.ranMs += ranMs;
    series.waiting.add(waitedMs);
    if (attempt > 0) series.running.add(ranMs);
    const total = this.totals.get(recipient) ?? { complete: 0, failed: 0 };
    total[good ? "complete" : "failed"]++;
    if (this.totals.size < MAX_SERIES || this.totals.has(recipient)) this.totals.set(recipient, total);
    const last = this.#slowest.at(-1);
    if (this.#slowest.length === SLOWEST && last !== undefined && last.ran_ms >= ranMs) return;
    const at = this.#slowest.findLastIndex((slow) => slow.ran_ms >= ranMs) + 1;
    this.#slowest.splice(at, 0, {
      task_id: taskId,
      recipient,
      type,
      status: good ? "complete" : "failed",
      ran_ms: ranMs,
      waited_ms: waitedMs,
      attempts: attempt,
      finished_at: new Date(finishedMs).toISOString(),
    });
    if (this.#slowest.length > SLOWEST) this.#slowest.pop();
  }

  /** Starts a new period if the current one is over. */
  turn(nowMs: number): void {
    if (nowMs < this.#current.startedMs + PERIOD_MS) return;
    // After more than two periods without a task, the period before the new one is empty.
    const idle = nowMs >= this.#current.startedMs + 2 * PERIOD_MS;
    this.#previous = idle ? { startedMs: nowMs - PERIOD_MS, series: new Map() } : this.#current;
    this.#current = { startedMs: nowMs, series: new Map() };
    this.#slowest = this.#slowest.filter(({ finished_at }) => Date.parse(finished_at) > nowMs - 24 * PERIOD_MS);
  }

  /** Slowest first. */
  slowest(limit: number): readonly SlowTask[] {
    return this.#slowest.slice(0, limit);
  }

  /** The sum of this period and the one before. */
  series(): Series[] {
    const merged = new Map<string, Writable<Series>>();
    for (const { series } of [this.#previous, this.#current]) {
      for (const [key, one] of series) merged.set(key, add(merged.get(key), one));
    }
    return [...merged.values()];
  }

  current(): readonly Series[] {
    return [...this.#current.series.values()];
  }

  previous(recipient: string, type: string): Series | undefined {
    return this.#previous.series.get(`${recipient} ${type}`);
  }

  get currentSinceMs(): number {
    return this.#current.startedMs;
  }

  get previousSinceMs(): number {
    return this.#previous.startedMs;
  }

  toJSON(): StatisticsData {
    const period = ({ startedMs, series }: Period): PeriodData => [
      startedMs,
      [...series.values()].map((one) => ({ ...one, waiting: one.waiting.toJSON(), running: one.running.toJSON() })),
    ];
    return {
      current: period(this.#current),
      previous: period(this.#previous),
      slowest: this.#slowest,
      totals: [...this.totals].map(([recipient, { complete, failed }]) => [recipient, complete, failed]),
      ever: this.ever,
    };
  }

  #seriesOf(recipient: string, type: string): Writable<Series> {
    const { series } = this.#current;
    const [forWhom, ofType] =
      series.size < MAX_SERIES || series.has(`${recipient} ${type}`) ? [recipient, type] : ["*", "other"];
    const key = `${forWhom} ${ofType}`;
    let one = series.get(key);
    if (one === undefined) {
      one = {
        recipient: forWhom,
        type: ofType,
        complete: 0,
        failed: 0,
        waitedMs: 0,
        ranMs: 0,
        waiting: new LogSketch(),
        running: new LogSketch(),
      };
      series.set(key, one);
    }
    return one;
  }
}

function count(counts: Map<string, number>, outcome: string, times = 1): void {
  counts.set(outcome, (counts.get(outcome) ?? 0) + times);
}

/** A new series that is the sum of both. */
export function add(sum: Series | undefined, one: Series): Writable<Series> {
  return {
    recipient: one.recipient,
    type: one.type,
    complete: (sum?.complete ?? 0) + one.complete,
    failed: (sum?.failed ?? 0) + one.failed,
    waitedMs: (sum?.waitedMs ?? 0) + one.waitedMs,
    ranMs: (sum?.ranMs ?? 0) + one.ranMs,
    waiting: new LogSketch().merge(sum?.waiting ?? new LogSketch()).merge(one.waiting),
    running: new LogSketch().merge(sum?.running ?? new LogSketch()).merge(one.running),
  };
}

function periodOf([startedMs, list]: PeriodData): Period {
  const series = list.map((one): [string, Writable<Series>] => [
    `${one.recipient} ${one.type}`,
    { ...one, waiting: new LogSketch(one.waiting), running: new LogSketch(one.running) },
  ]);
  return { startedMs, series: new Map(series) };
}
