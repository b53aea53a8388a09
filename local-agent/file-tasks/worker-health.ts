import type { RunRecord } from "../../src/core/file-tasks/attempts.ts";
import type { WorkerSettings } from "./settings.ts";

/** What a file worker is doing, for people and for the edge. */
export interface WorkerHealth {
  readonly worker: string;
  readonly state: "idle" | "working" | "open" | "stopped" | "failing";
  readonly breaker: "closed" | "open" | "half_open";
  readonly detail?: string;
  readonly running: readonly { readonly task_id: string; readonly attempt: number; readonly started_at: string }[];
  /** Files in the directory that are not claimed. */
  readonly waiting: number;
  /** Claimed tasks that wait for their next attempt. */
  readonly retrying: number;
  /** Claimed tasks that are in the edge's queue, for any host with a free slot. */
  readonly submitted: number;
  /** Tasks of any host that this host is running. */
  readonly for_fleet: number;
  /** Since the start. */
  readonly complete: number;
  readonly failed: number;
}

/** A slot of a worker that is taken: by a file that is being claimed, or by a task with its attempt. */
export interface RunningSlot {
  readonly taskId: string;
  attempt?: RunRecord["running"];
}

export function runningOf(slots: Iterable<RunningSlot>): WorkerHealth["running"] {
  return [...slots].flatMap(({ taskId, attempt }) =>
    attempt === undefined ? [] : [{ task_id: taskId, attempt: attempt.attempt, started_at: attempt.started_at }],
  );
}

/** @param busy - tasks that are being claimed or run */
export function stateOf(
  active: boolean,
  failure: string | undefined,
  breaker: "closed" | "open" | "half_open",
  busy: number,
): WorkerHealth["state"] {
  if (!active) return "stopped";
  if (failure !== undefined) return "failing";
  if (breaker === "open") return "open";
  return busy > 0 ? "working" : "idle";
}

/** Tasks that are submitted to the edge at the same time; `concurrency` limits those that run. */
const SUBMISSIONS = 10;

/** How many tasks a worker may have at the same time. */
export function slotsOf({ scope, concurrency }: WorkerSettings, breaker: WorkerHealth["breaker"]): number {
  if (breaker === "open") return 0;
  if (breaker === "half_open") return 1;
  return scope === "fleet" ? SUBMISSIONS : concurrency;
}
