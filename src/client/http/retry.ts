import { DelegateBackoff, handleWhen, retry } from "cockatiel";
import { doubled } from "../../core/numbers/doubled.ts";
import { ApiProblem, EdgeUnreachable } from "./problem-errors.ts";

export interface RetryOptions {
  /** Tries after the first; default 5. */
  readonly retries?: number;
  /** Longest pause that is chosen here, in milliseconds; default 5,000. What the edge asks for counts more. */
  readonly maxDelayMs?: number;
}

const FIRST_DELAY_MS = 100;

/** Tries again what may pass by itself: nobody there, too much at once, a gateway that gave up. */
export function retrying({ retries = 5, maxDelayMs = 5_000 }: RetryOptions = {}) {
  const policy = retry(handleWhen(mayPass), {
    maxAttempts: retries,
    backoff: new DelegateBackoff(({ attempt, result }) => {
      const asked = "error" in result && result.error instanceof ApiProblem ? (result.error.retryAfterMs ?? 0) : 0;
      return asked + backoffMs(attempt, maxDelayMs);
    }),
  });
  return <Answer>(attempt: () => Promise<Answer>, signal?: AbortSignal): Promise<Answer> =>
    policy.execute(attempt, signal);
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

export function mayPass(error: unknown): boolean {
  if (error instanceof EdgeUnreachable) return true;
  return error instanceof ApiProblem && [429, 502, 503, 504].includes(error.problem.status);
}

/** Ends early, without an error, when `signal` is aborted. */
export function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(done, ms);
    signal?.addEventListener("abort", done, { once: true });
    function done(): void {
      clearTimeout(timer);
      signal?.removeEventListener("abort", done);
      resolve();
    }
  });
}
