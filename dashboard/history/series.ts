import type { HistoryPage, Observation } from "../../src/core/introspection/api.ts";

/** Ranges that can be chosen, by their length in minutes. */
export const RANGES = [
  ["5", "5 min"],
  ["60", "1 h"],
  ["360", "6 h"],
  ["1440", "24 h"],
  ["10080", "7 d"],
] as const;

const DEFAULT_MINUTES = 60;
const MINUTE_MS = 60_000;
/** Points of one chart: more could not be told apart. */
const POINTS = 300;
/** Steps that the edge keeps, in seconds. */
const STEPS = [1, 5, 10, 30, 60, 300, 900, 3_600] as const;

export interface Range {
  readonly fromMs: number;
  readonly untilMs: number;
  /** Somebody has zoomed in: the range stands still. */
  readonly fixed: boolean;
}

/** The range that a URL names: `since` and `until`, or so many minutes up to now. */
export function rangeOf(query: Readonly<Record<string, string>>, nowMs: number): Range {
  const [since, until] = [Date.parse(query.since ?? ""), Date.parse(query.until ?? "")];
  if (since < until) return { fromMs: since, untilMs: until, fixed: true };
  const minutes = Number(query.range || DEFAULT_MINUTES);
  const length = Number.isFinite(minutes) && minutes > 0 ? minutes : DEFAULT_MINUTES;
  return { fromMs: nowMs - length * MINUTE_MS, untilMs: nowMs, fixed: false };
}

/** The step, in seconds, by which a range has about as many points as a chart can show. */
export function stepOf({ fromMs, untilMs }: Pick<Range, "fromMs" | "untilMs">): number {
  const wanted = (untilMs - fromMs) / 1_000 / POINTS;
  return STEPS.find((step) => step >= wanted) ?? 3_600;
}

type Column = (number | null)[];

/** Columns as a chart takes them: times in seconds, then mean, lowest, highest and the 95th percentile. */
export type Columns = readonly [at: number[], mean: Column, min: Column, max: Column, p95: Column];

/** A step without a measurement is a hole and no line through it. */
export function columnsOf({ points, step_seconds }: Pick<HistoryPage, "points" | "step_seconds">): Columns {
  const columns: Columns = [[], [], [], [], []];
  let last: number | undefined;
  for (const { ts, mean, min, max, p95 } of points) {
    const at = Date.parse(ts) / 1_000;
    if (last !== undefined && at - last > step_seconds * 1.5) add(columns, last + step_seconds, null, null, null, null);
    add(columns, at, mean, min, max, p95);
    last = at;
  }
  return columns;
}

function add(
  [at, mean, min, max, p95]: Columns,
  time: number,
  ...values: [number | null, number | null, number | null, number | null]
): void {
  at.push(time);
  mean.push(values[0]);
  min.push(values[1]);
  max.push(values[2]);
  p95.push(values[3]);
}

/** Metrics that observations of the window have, the most frequent first. `ttr_ms` and `ok` are fields of their own. */
export function metricsIn(observations: readonly Pick<Observation, "facts" | "ttr_ms">[]): string[] {
  const counts = new Map<string, number>();
  for (const { facts, ttr_ms } of observations) {
    for (const [name, value] of Object.entries(facts)) {
      if (typeof value === "number") counts.set(name, (counts.get(name) ?? 0) + 1);
    }
    if (ttr_ms !== null) counts.set("ttr_ms", (counts.get("ttr_ms") ?? 0) + 1);
  }
  const named = [...counts].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1)).map(([name]) => name);
  return observations.length === 0 ? [] : [...named, "ok"];
}
