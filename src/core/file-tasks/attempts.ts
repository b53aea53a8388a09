import { doubled } from "../numbers/doubled.ts";
/** One attempt at a task that did not succeed. Times are RFC 3339. */
export interface FailedAttempt {
  readonly attempt: number;
  readonly started_at: string;
  readonly ended_at: string;
  readonly host: string;
  readonly error: string;
}

/** What has become of a task so far. It lies beside the claim, so that whoever takes the task over goes on from it. */
export interface RunRecord {
  readonly claimed_at: string;
  readonly history: readonly FailedAttempt[];
  /** The attempt that was begun last and has not ended. */
  readonly running?: RunningAttempt;
  /** Not to be tried before, in milliseconds since the epoch. */
  readonly not_before_ms?: number;
}

export interface RunningAttempt {
  readonly attempt: number;
  readonly started_at: string;
  readonly host: string;
}

export interface RetrySettings {
  /** Attempts in all. */
  readonly attempts: number;
  /** Pause before the second attempt, in milliseconds; each further one is twice as long, up to `max_ms`. */
  readonly initial_ms: number;
  readonly max_ms: number;
}

export type Next =
  | { readonly step: "retry"; readonly record: RunRecord }
  | { readonly step: "bury"; readonly record: RunRecord };

/** Notes that an attempt begins. */
export function beginAttempt(record: RunRecord, host: string, nowMs: number): RunRecord {
  const { not_before_ms: _, ...rest } = record;
  return { ...rest, running: { attempt: record.history.length + 1, started_at: at(nowMs), host } };
}

/** What follows from a failure: another attempt after a pause of 1 s, 2 s, 4 s, … (R50), or the end. */
export function afterFailure(
  record: RunRecord,
  error: string,
  retry: RetrySettings,
  host: string,
  nowMs: number,
): Next {
  const { running, not_before_ms: _, ...rest } = record;
  const attempt = running?.attempt ?? record.history.length + 1;
  const failed: FailedAttempt = {
    attempt,
    started_at: running?.started_at ?? record.claimed_at,
    ended_at: at(nowMs),
    host: running?.host ?? host,
    error,
  };
  const history = [...record.history, failed];
  if (history.length >= retry.attempts) return { step: "bury", record: { ...rest, history } };
  const pauseMs = doubled(retry.initial_ms, retry.max_ms, history.length - 1);
  return { step: "retry", record: { ...rest, history, not_before_ms: nowMs + pauseMs } };
}

/**
 * The attempt that a dead owner had begun counts as failed: it may be what killed the owner, and a task that kills
 * every owner must end in the dead letters.
 */
export function afterTakeOver(record: RunRecord, retry: RetrySettings, host: string, nowMs: number): Next {
  if (record.running === undefined) return { step: "retry", record };
  const next = afterFailure(record, "its owner ended in the middle of it", retry, host, nowMs);
  const { not_before_ms: _, ...rest } = next.record;
  // Nothing speaks for a pause: what failed was the owner.
  return next.step === "retry" ? { step: "retry", record: rest } : next;
}

function at(nowMs: number): string {
  return new Date(nowMs).toISOString();
}
