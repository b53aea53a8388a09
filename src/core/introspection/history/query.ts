import type { HistoryPage } from "../api.ts";
import { MINUTE_MS } from "./collector.ts";
import { type StoredPoint, Summary } from "./point.ts";

/** Coarser step, for what is older than {@link FINE_MS}. */
export const QUARTER_MS = 15 * MINUTE_MS;
/** Points by the minute are kept for {@link FINE_MS}, points by the quarter of an hour for {@link COARSE_MS}. */
export const FINE_MS = 86_400_000;
export const COARSE_MS = 30 * FINE_MS;
/** Points of an answer at most. */
export const MAX_POINTS = 2_000;
/** Approximate number of points where the query names no step. */
const USUAL_POINTS = 120;

export interface HistoryQuery {
  readonly metric: string;
  /** `undefined`: all reporters together. */
  readonly reporter?: string;
  readonly sinceMs: number;
  readonly untilMs: number;
  readonly stepMs: number;
}

/**
 * Rounds a step up to one that is stored: whole minutes, or whole quarters of an hour where the query begins more than
 * a day ago.
 * @param askedMs - `undefined`: a step that gives about {@link USUAL_POINTS} points
 */
export function stepFor(sinceMs: number, untilMs: number, nowMs: number, askedMs?: number): number {
  const finest = sinceMs < nowMs - FINE_MS ? QUARTER_MS : MINUTE_MS;
  const wanted = askedMs ?? (untilMs - sinceMs) / USUAL_POINTS;
  return Math.max(finest, Math.ceil(wanted / finest) * finest);
}

/** Merges stored points into the steps of a query. */
export class HistoryAnswer {
  readonly #query: HistoryQuery;
  readonly #steps = new Map<number, Summary>();
  readonly #reporters = new Set<string>();

  constructor(query: HistoryQuery) {
    this.#query = query;
  }

  add(startMs: number, reporter: string, point: StoredPoint): void {
    this.#reporters.add(reporter);
    if (this.#query.reporter !== undefined && reporter !== this.#query.reporter) return;
    const step = Math.floor(startMs / this.#query.stepMs) * this.#query.stepMs;
    let summary = this.#steps.get(step);
    if (summary === undefined) {
      summary = new Summary();
      this.#steps.set(step, summary);
    }
    summary.merge(point);
  }

  page(): HistoryPage {
    return {
      metric: this.#query.metric,
      reporter: this.#query.reporter ?? null,
      step_seconds: this.#query.stepMs / 1_000,
      points: [...this.#steps].sort(([a], [b]) => a - b).map(([start, summary]) => summary.point(start)),
      reporters: [...this.#reporters].sort(),
    };
  }
}
