import { doubled } from "../../core/numbers/doubled.ts";
import { ApiProblem, EdgeUnreachable } from "./problem-errors.ts";

export interface RetryOptions {
  /** Tries after the first; default 5. */
  readonly retries?: number;
  /** Longest back-off, in milliseconds; default 5,000. A longer `Retry-After` of the edge is kept to. */
  readonly maxDelayMs?: number;
}

const FIRST_DELAY_MS = 100;

/** Makes the function that retries calls after {@link isTransient} errors. */
export function newRetrier({ retries = 5, maxDelayMs = 5_000 }: RetryOptions = {}) {
  return async <Answer>(attempt: () => Promise<Answer>, signal?: AbortSignal): Promise<Answer> => {
    for (let retry = 1; ; retry++) {
      try {
        return await attempt();
      } catch (error) {
        if (retry > retries || !isTransient(error)) throw error;
        const askedMs = error instanceof ApiProblem ? (error.retryAfterMs ?? 0) : 0;
        await pause(askedMs + backoffMs(retry, maxDelayMs), signal);
        if (signal?.aborted === true) throw signal.reason;
      }
    }
  };
}

/**
 * Exponential back-off with full jitter, so that clients who lost the same edge do not come back in step.
 *
 * @param attempt - 1 for the first retry
 * @see https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
 */
export function backoffMs(attempt: number, maxDelayMs: number): number {
  return Math.random() * doubled(FIRST_DELAY_MS, maxDelayMs, attempt - 1);
}

/** Whether the same call may succeed later: no edge answers, it is overloaded, or a gateway gave up. */
export function isTransient(error: unknown): boolean {
  if (error instanceof EdgeUnreachable) return true;
  return error instanceof ApiProblem && [429, 502, 503, 504].includes(error.problem.status);
}

/** Ends early, without an error, when `signal` is aborted. */
export function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted === true) return resolve();
    const timer = setTimeout(done, ms);
    signal?.addEventListener("abort", done, { once: true });
    function done(): void {
      clearTimeout(timer);
      signal?.removeEventListener("abort", done);
      resolve();
    }
  });
}
