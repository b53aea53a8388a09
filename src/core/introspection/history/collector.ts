import { FairQueue, type Party } from "../../collections/fair-queue.ts";
import type { Sample } from "../window/sample.ts";
import { type StoredPoint, Summary } from "./point.ts";

/** Finest step, in milliseconds. */
export const MINUTE_MS = 60_000;

/** Names of metrics. Facts with other names are left out: a name must fit into a query and into a JSON path. */
export const METRIC_NAME = /^[A-Za-z_][A-Za-z0-9_.:-]{0,63}$/;
/** Metrics of one observation at most. */
const MAX_METRICS = 32;
/** Larger numbers are left out: a sum of several would overflow to infinity. */
const LARGEST = 1e300;
/** Series in memory at most; beyond that whoever has the most of them loses the newest, and the measurements are counted. */
const MAX_SERIES = 20_000;
/** Approximate bytes of a row's body: Cloudflare allows 2 MB. */
const MAX_BODY = 1_000_000;

/** Every number in an observation (to 1e300), its `ttr_ms`, and `ok` as 1 or 0 (its mean is the success rate). */
export function* metricsOf(sample: Sample): Generator<[name: string, value: number]> {
  yield ["ok", sample.ok ? 1 : 0];
  let count = 1;
  for (const name in sample.facts) {
    const value = sample.facts[name];
    if (typeof value !== "number" || !(Math.abs(value) <= LARGEST) || !METRIC_NAME.test(name)) continue;
    if (++count > MAX_METRICS) return;
    yield [name, value];
  }
}

/** Series of one step: metric, then reporter. */
export type Series = Map<string, Map<string, Summary>>;
/** Where a series stands. */
interface Place {
  readonly start: number;
  readonly metric: string;
  readonly reporter: string;
}

/** Measurements not yet written to the history: minutes that are not over, or not stored yet. */
export class HistoryCollector {
  readonly #minutes = new Map<number, Series>();
  /** Lowest sequence number of each minute. */
  readonly #firstSeqs = new Map<number, number>();
  readonly #held = new FairQueue<Place>();
  readonly #crowdedOut: (party: Party, limit: number) => void;
  #dropped = 0;

  /** @param crowdedOut - called for a series that does not count, or not any more, because its sender has the most of them */
  constructor(crowdedOut: (party: Party, limit: number) => void = () => {}) {
    this.#crowdedOut = crowdedOut;
  }

  add(sample: Sample): void {
    const start = minuteOf(sample.tsMs);
    let series = this.#minutes.get(start);
    if (series === undefined) {
      series = new Map();
      this.#minutes.set(start, series);
      this.#firstSeqs.set(start, sample.seq);
    }
    for (const [metric, value] of metricsOf(sample)) {
      const summary = this.#summary(start, series, metric, sample);
      if (summary === undefined) this.#dropped++;
      else summary.add(value);
    }
  }

  /** Every observation with a lower sequence number is written. */
  get firstSeq(): number {
    return Math.min(...this.#firstSeqs.values());
  }

  /** Whether a minute that started before `beforeMs` is waiting. */
  has(beforeMs: number): boolean {
    return [...this.#minutes.keys()].some((start) => start < beforeMs);
  }

  /** Minutes that started before `beforeMs`, in order. They stay until {@link forget}. */
  minutes(beforeMs = Number.POSITIVE_INFINITY): [startMs: number, series: Series][] {
    return [...this.#minutes].filter(([start]) => start < beforeMs).sort(([a], [b]) => a - b);
  }

  forget(beforeMs: number): void {
    for (const start of this.#minutes.keys()) {
      if (start >= beforeMs) continue;
      this.#minutes.delete(start);
      this.#firstSeqs.delete(start);
    }
    for (const held of [...this.#held.all()]) if (held.item.start < beforeMs) this.#held.remove(held);
  }

  /** Number of measurements dropped since the last call, because there were too many series. */
  takeDropped(): number {
    const dropped = this.#dropped;
    this.#dropped = 0;
    return dropped;
  }

  /** @returns `undefined` where the series does not count: its sender has more of them than anybody else */
  #summary(start: number, series: Series, metric: string, { reporter, party }: Sample): Summary | undefined {
    const known = series.get(metric)?.get(reporter);
    if (known !== undefined) return known;
    const added = this.#held.add({ start, metric, reporter }, party);
    if (this.#held.size > MAX_SERIES) {
      const last = this.#held.lastOfGreediest() ?? added;
      this.#held.remove(last);
      this.#crowdedOut(last.party, MAX_SERIES);
      if (last === added) return undefined;
      this.#delete(last.item);
    }
    const summary = new Summary();
    const reporters = series.get(metric) ?? new Map<string, Summary>();
    series.set(metric, reporters.set(reporter, summary));
    return summary;
  }

  #delete({ start, metric, reporter }: Place): void {
    const series = this.#minutes.get(start);
    const reporters = series?.get(metric);
    this.#dropped += reporters?.get(reporter)?.count ?? 0;
    reporters?.delete(reporter);
    if (reporters?.size === 0) series?.delete(metric);
  }
}

export const minuteOf = (tsMs: number) => Math.floor(tsMs / MINUTE_MS) * MINUTE_MS;

/** Bodies of rows, as few as a row's size allows: `{metric: {reporter: point}}`. */
export function encodeSeries(series: Series): string[] {
  const bodies: string[] = [];
  // Maps, because metrics and reporters have any names: an object has "constructor" before anybody puts it there.
  let body = new Map<string, Map<string, StoredPoint>>();
  let bytes = 0;
  for (const [metric, reporters] of series) {
    for (const [reporter, summary] of reporters) {
      const point = summary.store();
      bytes += point.length * 8 + reporter.length + 8;
      if (bytes > MAX_BODY) {
        bodies.push(textOf(body));
        body = new Map();
        bytes = 0;
      }
      const points = body.get(metric) ?? new Map<string, StoredPoint>();
      body.set(metric, points.set(reporter, point));
    }
  }
  if (body.size > 0) bodies.push(textOf(body));
  return bodies;
}

function textOf(body: ReadonlyMap<string, ReadonlyMap<string, StoredPoint>>): string {
  return JSON.stringify(Object.fromEntries([...body].map(([metric, points]) => [metric, Object.fromEntries(points)])));
}

/** Reads the points of one metric, by reporter, leaving out those that are no points. */
export function readStoredPoints(value: unknown): [reporter: string, point: StoredPoint][] {
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).filter((entry): entry is [string, StoredPoint] => isStoredPoint(entry[1]));
}

/** Four figures and the histogram's pairs; checked by length and kind, for a page of history reads thousands. */
const isStoredPoint = (value: unknown): value is StoredPoint =>
  Array.isArray(value) && value.length >= 4 && value.every((figure) => typeof figure === "number");

function readStoredSeries(body: string): [metric: string, points: [reporter: string, point: StoredPoint][]][] {
  const value: unknown = JSON.parse(body);
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).map(([metric, points]) => [metric, readStoredPoints(points)]);
}

/** Adds the points of a stored row to `series`. */
export function mergeSeries(series: Series, body: string): void {
  for (const [metric, stored] of readStoredSeries(body)) {
    const reporters = series.get(metric) ?? new Map<string, Summary>();
    series.set(metric, reporters);
    for (const [reporter, point] of stored) {
      const summary = reporters.get(reporter) ?? new Summary();
      summary.merge(point);
      reporters.set(reporter, summary);
    }
  }
}
