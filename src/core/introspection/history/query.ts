import { MINUTE_MS } from "./collector.ts";
import { type HistoryPoint, type StoredPoint, Summary } from "./point.ts";

/** Coarser step, for what is older than {@link FINE_MS}. */
export const QUARTER_MS = 15 * MINUTE_MS;
/** Kept by the minute for so long, by the quarter of an hour for {@link COARSE_MS}. */
export const FINE_MS = 86_400_000;
export const COARSE_MS = 30 * FINE_MS;
/** Points of an answer at most. */
export const MAX_POINTS = 2_000;
/** Points of an answer where no step is asked for, roughly. */
const USUAL_POINTS = 120;

export interface HistoryQuery {
  readonly metric: string;
  /** `undefined`: all of them together. */
  readonly reporter?: string;
  readonly sinceMs: number;
  readonly untilMs: number;
  readonly stepMs: number;
}

/** A down-sampled series (R20). */
export interface HistoryPage {
  readonly metric: string;
  /** `null`: all of them together. */
  readonly reporter: string | null;
  readonly step_seconds: number;
  /** Steps without a measurement are left out. */
  readonly points: readonly HistoryPoint[];
  /** Who has measured it in this time. */
  readonly reporters: readonly string[];
}

/**
 * The step that can be had: whole minutes, whole quarters of an hour where it reaches back more than a day.
 * @param askedMs - `undefined`: one that suits the length
 */
export function stepFor(sinceMs: number, untilMs: number, nowMs: number, askedMs?: number): number {
  const finest = sinceMs < nowMs - FINE_MS ? QUARTER_MS : MINUTE_MS;
  const wanted = askedMs ?? (untilMs - sinceMs) / USUAL_POINTS;
  return Math.max(finest, Math.ceil(wanted / finest) * finest);
}

/** Puts stored points together, step by step. */
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
