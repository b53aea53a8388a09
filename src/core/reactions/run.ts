import { retryDelayMs } from "../queue/back-off.ts";

/**
 * One reaction to one signal, from the moment at which the signal is accepted.
 *
 *   pending → running → done          the signal of success is emitted with this step, and with no other
 *   running → pending                 failed with attempts left; or interrupted, and may be repeated
 *   running → dead → pending          failed for good, reported with the first step; a person replays it
 *
 * Pure: the caller writes each step to the disk before it acts on it, together with the signals of the step.
 */
export type Run =
  | { readonly state: "pending"; readonly attempts: number; readonly crashes: number; readonly notBeforeMs: number }
  | { readonly state: "running"; readonly attempts: number; readonly crashes: number }
  | { readonly state: "done"; readonly attempts: number; readonly crashes: number }
  | { readonly state: "dead"; readonly attempts: number; readonly crashes: number; readonly error: string };

export interface RunPolicy {
  /** Failed attempts after which the run is dead, from 1. */
  readonly attempts: number;
  readonly backoff_ms: number;
  readonly backoff_max_ms: number;
  /**
   * What becomes of a run that a crash or a stop of the agent interrupted: nobody knows how far it came. `retry`: it is
   * repeated. `report`: it has failed, because to run it twice would be worse than not to know.
   */
  readonly on_crash: "retry" | "report";
}

/** A command may crash the agent each time that it runs. After so many crashes it is not run again. */
export const MAX_CRASHES = 3;

export const NEW_RUN = { attempts: 0, crashes: 0 } as const;

export function accept(nowMs: number): Run {
  return { state: "pending", ...NEW_RUN, notBeforeMs: nowMs };
}

/** @returns `undefined` for a run that may not begin: it is not pending, or waits for its next attempt */
export function begin(run: Run, policy: RunPolicy, nowMs: number): Run | undefined {
  if (run.state !== "pending") return undefined;
  // A time further away than any pause means that the clock was set back: the run begins.
  if (run.notBeforeMs > nowMs && run.notBeforeMs <= nowMs + policy.backoff_max_ms) return undefined;
  return { state: "running", attempts: run.attempts + 1, crashes: run.crashes };
}

export function complete({ attempts, crashes }: Run): Run {
  return { state: "done", attempts, crashes };
}

/**
 * @param retry - `false` when another attempt would fail the same way
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
 * The agent was killed, or stopped, during the run. The attempt does not count as failed.
 *
 * @param how - a crash counts towards {@link MAX_CRASHES}; a stop may happen any number of times
 */
export function interrupt({ attempts, crashes }: Run, how: "crash" | "stop", policy: RunPolicy, nowMs: number): Run {
  const counted = crashes + (how === "crash" ? 1 : 0);
  const left = { attempts: Math.max(0, attempts - 1), crashes: counted };
  if (policy.on_crash === "report") {
    const error = `the agent ${how === "crash" ? "crashed" : "was stopped"} during the run: how far it came is unknown`;
    return { state: "dead", ...left, error };
  }
  if (counted >= MAX_CRASHES) {
    return { state: "dead", ...left, error: `the agent crashed ${counted} times during the run` };
  }
  return { state: "pending", ...left, notBeforeMs: nowMs };
}

/**
 * A queue gives out the task of a run: each lease is an attempt of its own, numbered by the queue, whatever the result
 * of an earlier attempt was, unless the run is done.
 *
 * A dead run is refused as long as the queue's number of attempts increases: the queue does not know of the failure,
 * because the agent crashed, the connection was lost, or the lease had expired. Only when the number starts again has a
 * person asked to repeat the task.
 *
 * @param attempt - number of the lease's attempt, from 1
 * @returns `refused`: why the attempt may not begin
 */
export function lease(run: Run, attempt: number, nowMs: number): { readonly run: Run; readonly refused?: string } {
  if (run.state === "dead" && attempt > run.attempts) return { run: { ...run, attempts: attempt }, refused: run.error };
  if (run.state !== "pending" && run.state !== "dead") return { run };
  return { run: { state: "pending", attempts: attempt - 1, crashes: 0, notBeforeMs: nowMs } };
}

/** @returns `undefined` for a run that is not dead: a run that is done is not repeated */
export function replay(run: Run, nowMs: number): Run | undefined {
  return run.state === "dead" ? accept(nowMs) : undefined;
}
