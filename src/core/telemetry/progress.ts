import * as z from "zod";
import { doubled } from "../numbers/doubled.ts";
import { formatTimestamp } from "../signals/timestamp.ts";
import type { ExportHealth } from "./api.ts";
import type { RequestOutcome } from "./receiver-answer.ts";

const FIRST_DELAY_MS = 1_000;
const MAX_DELAY_MS = 900_000;
/** A delay is spread by up to this share in either direction. */
const JITTER = 0.2;
/** A request whose own fault a failure may be is given up after so many attempts. */
const MAX_DOUBTFUL = 8;

/** How far an export is, as it is stored. Times are milliseconds since the epoch. */
export const ExportProgress = z.object({
  exported: z.number(),
  rejected: z.number(),
  dropped: z.number(),
  /** Failures in a row. */
  failures: z.number(),
  /** Of them, those that the request may be to blame for. */
  doubtful: z.number(),
  /** Nothing is sent before. */
  retry_ms: z.number(),
  failing_since_ms: z.number().nullable(),
  last_success_ms: z.number().nullable(),
  last_error: z.string().nullable(),
});
export type ExportProgress = Readonly<z.output<typeof ExportProgress>>;

export const NOTHING_EXPORTED: ExportProgress = {
  exported: 0,
  rejected: 0,
  dropped: 0,
  failures: 0,
  doubtful: 0,
  retry_ms: 0,
  failing_since_ms: null,
  last_success_ms: null,
  last_error: null,
};

/** What becomes of the spans of a request. */
export type Fate = "done" | "wait" | "split";

/**
 * Takes the outcome of a request in.
 *
 * @param spans - how many the request held
 * @param random - from 0 to below 1
 */
export function settle(
  before: ExportProgress,
  outcome: RequestOutcome,
  spans: number,
  nowMs: number,
  random: number,
): { readonly progress: ExportProgress; readonly fate: Fate } {
  if (outcome.kind === "taken") return { fate: "done", progress: taken(before, outcome, spans, nowMs) };
  if (outcome.kind === "too_large" && spans > 1) return { fate: "split", progress: before };
  if (outcome.kind !== "later") return { fate: "done", progress: givenUp(before, outcome.error, spans, nowMs) };
  const doubtful = outcome.certain ? 0 : before.doubtful + 1;
  if (doubtful >= MAX_DOUBTFUL) return { fate: "done", progress: givenUp(before, outcome.error, spans, nowMs) };
  const planned = doubled(FIRST_DELAY_MS, MAX_DELAY_MS, before.failures) * (1 - JITTER + 2 * JITTER * random);
  return {
    fate: "wait",
    progress: {
      ...before,
      failures: before.failures + 1,
      doubtful,
      retry_ms: nowMs + Math.max(Math.round(planned), outcome.retryAfterMs ?? 0),
      failing_since_ms: before.failing_since_ms ?? nowMs,
      last_error: outcome.error,
    },
  };
}

function taken(
  before: ExportProgress,
  { rejected, message }: Extract<RequestOutcome, { kind: "taken" }>,
  spans: number,
  nowMs: number,
): ExportProgress {
  const few = Math.min(rejected, spans);
  const text = `the receiver rejected ${few} of ${spans} spans${message === undefined ? "" : `: ${message}`}`;
  return {
    ...before,
    exported: before.exported + spans - few,
    rejected: before.rejected + few,
    failures: 0,
    doubtful: 0,
    retry_ms: 0,
    failing_since_ms: null,
    last_success_ms: nowMs,
    last_error: few > 0 ? text : null,
  };
}

/** The next request may be taken: nothing waits for that. */
const givenUp = (before: ExportProgress, error: string, spans: number, nowMs: number): ExportProgress => ({
  ...before,
  dropped: before.dropped + spans,
  failures: 0,
  doubtful: 0,
  retry_ms: 0,
  failing_since_ms: before.failing_since_ms ?? nowMs,
  last_error: `${error}; its ${spans} spans were given up`,
});

export function healthOf(progress: ExportProgress, waiting: number): ExportHealth {
  const { exported, rejected, dropped, retry_ms, failing_since_ms, last_success_ms, last_error } = progress;
  return {
    exported,
    rejected,
    dropped,
    waiting,
    ...(last_success_ms === null ? {} : { last_success_at: formatTimestamp(last_success_ms) }),
    ...(failing_since_ms === null ? {} : { failing_since: formatTimestamp(failing_since_ms) }),
    ...(last_error === null ? {} : { last_error }),
    ...(retry_ms === 0 ? {} : { retry_at: formatTimestamp(retry_ms) }),
  };
}
