import { doubled } from "../numbers/doubled.ts";

/** An attempt at a file task that failed. Times are RFC 3339. */
export interface FailedAttempt {
  readonly attempt: number;
  readonly started_at: string;
  readonly ended_at: string;
  readonly host: string;
  readonly error: string;
  /** The attempt reached its time limit. */
  readonly timed_out?: true;
}

/** The attempts at a claimed task so far. Stored beside the claim, so that a host that takes the task over continues. */
export interface RunRecord {
  readonly claimed_at: string;
  readonly history: readonly FailedAttempt[];
  /** The attempt that has started and not ended. */
  readonly running?: RunningAttempt;
  /** The next attempt does not start before this time, in milliseconds since the epoch. */
  readonly not_before_ms?: number;
  /** The name under which the file was dropped, for one that cannot be the name of a task. No attempt is made. */
  readonly misnamed?: string;
}

export interface RunningAttempt {
  readonly attempt: number;
  readonly started_at: string;
  readonly host: string;
}

export interface RetrySettings {
  /** Maximum number of attempts, the first included. */
  readonly attempts: number;
  /** Delay before the second attempt, in milliseconds. Each further delay is `factor` times as long, up to `max_ms`. */
  readonly initial_ms: number;
  /** Default 2. */
  readonly factor?: number;
  readonly max_ms: number;
}

export type AfterAttempt =
  | { readonly step: "retry"; readonly record: RunRecord }
  | { readonly step: "dead_letter"; readonly record: RunRecord };

/** Records the start of an attempt. */
export function beginAttempt(record: RunRecord, host: string, nowMs: number): RunRecord {
  const { not_before_ms: _, ...rest } = record;
  return { ...rest, running: { attempt: record.history.length + 1, started_at: at(nowMs), host } };
}

/** Decides on a failed attempt: another attempt after a delay that doubles each time, or the dead letter. */
export function afterFailure(
  record: RunRecord,
  error: string,
  retry: RetrySettings,
  host: string,
  nowMs: number,
  timedOut = false,
): AfterAttempt {
  const { running, not_before_ms: _, ...rest } = record;
  const attempt = running?.attempt ?? record.history.length + 1;
  const failed: FailedAttempt = {
    attempt,
    started_at: running?.started_at ?? record.claimed_at,
    ended_at: at(nowMs),
    host: running?.host ?? host,
    error,
    ...(timedOut && { timed_out: true }),
  };
  const history = [...record.history, failed];
  if (history.length >= retry.attempts) return { step: "dead_letter", record: { ...rest, history } };
  const { initial_ms, max_ms, factor = 2 } = retry;
  const delayMs =
    factor === 2
      ? doubled(initial_ms, max_ms, history.length - 1)
      : Math.min(max_ms, initial_ms * factor ** (history.length - 1));
  return { step: "retry", record: { ...rest, history, not_before_ms: nowMs + delayMs } };
}

/**
 * Decides what follows when the owner of a claim has died. The attempt that the owner had started counts as failed: it
 * may have killed the owner, and a task that kills every owner must become a dead letter.
 */
export function afterTakeOver(record: RunRecord, retry: RetrySettings, host: string, nowMs: number): AfterAttempt {
  if (record.running === undefined) return { step: "retry", record };
  const next = afterFailure(record, "the owner of the task ended during the attempt", retry, host, nowMs);
  const { not_before_ms: _, ...rest } = next.record;
  // No delay: the owner failed, and not the task.
  return next.step === "retry" ? { step: "retry", record: rest } : next;
}

function at(nowMs: number): string {
  return new Date(nowMs).toISOString();
}
