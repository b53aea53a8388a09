import { retryDelayMs } from "../queue/back-off.ts";

/**
 * One reaction to one signal, from the moment at which it is known to have to happen.
 *
 *   pending → running → done          the completion is told with this step, and at no other
 *   running → pending                 failed with attempts left; or interrupted, and it may be repeated
 *   running → dead → pending          failed for good, told with the first step; somebody runs it again
 *
 * Pure: whoever holds it writes each step to the disk before acting on it, together with what the step tells.
 */
export type Run =
  | { readonly state: "pending"; readonly attempts: number; readonly crashes: number; readonly notBeforeMs: number }
  | { readonly state: "running"; readonly attempts: number; readonly crashes: number }
  | { readonly state: "done"; readonly attempts: number; readonly crashes: number }
  | { readonly state: "dead"; readonly attempts: number; readonly crashes: number; readonly error: string };

export interface RunPolicy {
  /** Attempts that may fail before it is given up, from 1. */
  readonly attempts: number;
  readonly backoff_ms: number;
  readonly backoff_max_ms: number;
  /**
   * What becomes of a run that a crash or a stop of the agent interrupted, of which nobody knows how far it came.
   * `retry`: it runs again. `report`: it has failed, because doing it twice would be worse than not knowing.
   */
  readonly on_crash: "retry" | "report";
}

/** The agent may be what crashes: a command that takes it down each time must not do so for ever. */
export const MAX_CRASHES = 3;

export const NEW_RUN = { attempts: 0, crashes: 0 } as const;

export function accept(nowMs: number): Run {
  return { state: "pending", ...NEW_RUN, notBeforeMs: nowMs };
}

/** @returns `undefined` where it may not begin: it is not pending, or waits for its next attempt */
export function begin(run: Run, policy: RunPolicy, nowMs: number): Run | undefined {
  if (run.state !== "pending") return undefined;
  // Further off than any pause: the clock was set back meanwhile.
  if (run.notBeforeMs > nowMs && run.notBeforeMs <= nowMs + policy.backoff_max_ms) return undefined;
  return { state: "running", attempts: run.attempts + 1, crashes: run.crashes };
}

export function complete({ attempts, crashes }: Run): Run {
  return { state: "done", attempts, crashes };
}

/**
 * @param retry - `false` where another attempt would end the same way
 * @param random - from 0 to below 1
 */
export function fail(
  { attempts, crashes }: Run,
  { error, retry }: { readonly error: string; readonly retry: boolean },
  policy: RunPolicy,
  nowMs: number,
  random: number,
): Run {
  if (!retry || attempts >= policy.attempts) return { state: "dead", attempts, crashes, error };
  return { state: "pending", attempts, crashes, notBeforeMs: nowMs + retryDelayMs(attempts, policy, random) };
}

/**
 * The agent was killed, or stopped, while it ran. The attempt does not count as one that failed.
 *
 * @param how - a stop is nobody's fault and may happen any number of times
 */
export function interrupt({ attempts, crashes }: Run, how: "crash" | "stop", policy: RunPolicy, nowMs: number): Run {
  const counted = crashes + (how === "crash" ? 1 : 0);
  const left = { attempts: Math.max(0, attempts - 1), crashes: counted };
  if (policy.on_crash === "report") {
    const error = `the agent ${how === "crash" ? "crashed" : "was stopped"} while it ran: how far it came is not known`;
    return { state: "dead", ...left, error };
  }
  if (counted >= MAX_CRASHES) {
    return { state: "dead", ...left, error: `the agent crashed ${counted} times while it ran` };
  }
  return { state: "pending", ...left, notBeforeMs: nowMs };
}

/**
 * A queue gives the task of a run out: each lease is an attempt of its own, numbered by the queue, and what an earlier
 * one ended with does not hold it back, unless it is done.
 *
 * A run that was given up is refused as long as the queue counts on: it has not heard of it, since the agent or the
 * connection went down, or the lease had run out. Only a count that begins anew says that somebody wants it done again.
 *
 * @param attempt - number of the lease's attempt, from 1
 * @returns `refused`: why the task may not begin
 */
export function lease(run: Run, attempt: number, nowMs: number): { readonly run: Run; readonly refused?: string } {
  if (run.state === "dead" && attempt > run.attempts) return { run: { ...run, attempts: attempt }, refused: run.error };
  if (run.state !== "pending" && run.state !== "dead") return { run };
  return { run: { state: "pending", attempts: attempt - 1, crashes: 0, notBeforeMs: nowMs } };
}

/** @returns `undefined` for what is not dead: what was done is not done again */
export function replay(run: Run, nowMs: number): Run | undefined {
  return run.state === "dead" ? accept(nowMs) : undefined;
}
