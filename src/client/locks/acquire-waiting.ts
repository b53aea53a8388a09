import type { LockAcquisition, LockAnswer, LockNotHeld, OwnerProcess } from "../../core/locks/api.ts";
import type { LockMode } from "../../core/locks/hold.ts";
import { ApiProblem, EdgeUnreachable } from "../http/problem-errors.ts";

export interface LockOptions {
  /** One line of work: the same owner that asks again has the same lock. */
  readonly owner: string;
  /** The lock ends so long after it was renewed last, in milliseconds. It is renewed after each third of that. */
  readonly ttlMs: number;
  /** Default `exclusive`. */
  readonly mode?: LockMode | undefined;
  /** How long to wait for the lock, in milliseconds; default: until it is free. 0: not at all. */
  readonly waitMs?: number | undefined;
  /** What it is held for; for people. */
  readonly task?: string | undefined;
  readonly ownerProcess?: OwnerProcess | undefined;
  /** Ends the wait. */
  readonly signal?: AbortSignal | undefined;
  /** Called when the lock is not free, with what stands in the way. */
  readonly onWait?: ((answer: LockNotHeld) => void) | undefined;
}

/**
 * One request over HTTP waits so long. Below what proxies give a request; and where a process dies as it waits, its runtime may not say so
 * to the edge, which has it wait until the end of the request.
 */
const REQUEST_MS = 10_000;
const RETRY_MS = 1_000;

/** Failures after which the same request may work: another edge answers, or the same one later. */
export const passes = (error: unknown) =>
  error instanceof EdgeUnreachable ||
  (error instanceof ApiProblem && [429, 502, 503, 504].includes(error.problem.status));

/**
 * Asks for a lock until it is held, or its time is over. The owner keeps its place among those who wait from one request to the
 * next, and a request whose answer was lost is answered alike.
 *
 * @param requestMs - one request waits so long at most
 * @returns with the answer, when its request was sent: the TTL of the lock is counted from there
 * @throws what a request throws, where trying again does not help
 */
export async function acquireWaiting(
  ask: (asked: LockAcquisition, signal?: AbortSignal) => Promise<LockAnswer>,
  options: LockOptions,
  requestMs = REQUEST_MS,
): Promise<{ answer: LockAnswer; askedMs: number }> {
  const { owner, ttlMs, mode = "exclusive", waitMs = Number.POSITIVE_INFINITY, task, ownerProcess, signal } = options;
  const untilMs = performance.now() + waitMs;
  const about = { ...(task && { task }), ...(ownerProcess && { owner_process: ownerProcess }) };
  let wait_ms = 0;
  for (;;) {
    signal?.throwIfAborted();
    const askedMs = performance.now();
    const leftMs = () => untilMs - performance.now();
    try {
      const answer = await ask({ owner, ttl_ms: ttlMs, mode, wait_ms, ...about }, signal);
      if (answer.held || answer.cycle !== undefined || leftMs() <= 0) return { answer, askedMs };
      // The first request does not wait, so that people learn at once for whom the next ones do.
      if (wait_ms === 0) options.onWait?.(answer);
    } catch (error) {
      if (!passes(error) || leftMs() <= 0) throw error;
      const retryMs = (error instanceof ApiProblem ? error.retryAfterMs : undefined) ?? RETRY_MS;
      await pause(Math.min(retryMs, Math.max(0, leftMs())), signal);
    }
    wait_ms = Math.max(1, Math.min(requestMs, Math.floor(leftMs())));
  }
}

function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", end);
      resolve();
    }, ms);
    const end = () => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    signal?.addEventListener("abort", end, { once: true });
  });
}
