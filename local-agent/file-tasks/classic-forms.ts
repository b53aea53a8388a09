import type { FileTask } from "../../src/core/file-tasks/file-task.ts";
import type { Ending as CommandEnding } from "../base/process/run-command.ts";
import type { WorkerHealth } from "./worker-health.ts";
import type { WorkerStats } from "./worker-stats.ts";

/**
 * The files of the older watcher of file tasks, which `layout: classic` writes. Their names and fields are read by other
 * programs, so they do not change.
 */

export const classicReceipt = (task_id: string, worker: string, timestamp: string) => ({
  task_id,
  worker,
  status: "received",
  timestamp,
});

interface ClassicAttempt {
  readonly task_id: string;
  readonly worker: string;
  readonly ending: CommandEnding | undefined;
  readonly stdout: string;
  readonly stderr: string;
  readonly durationMs: number;
  readonly timestamp: string;
  /** From 1. */
  readonly attempt: number;
}

/** Of every attempt, those that failed included. */
export function classicResult({
  task_id,
  worker,
  ending,
  stdout,
  stderr,
  durationMs,
  timestamp,
  attempt,
}: ClassicAttempt) {
  const exit_code = exitCodeOf(ending);
  return {
    task_id,
    worker,
    status: exit_code === 0 ? ("completed" as const) : ("failed" as const),
    exit_code,
    stdout,
    stderr,
    duration_seconds: durationMs / 1_000,
    timestamp,
    retry_count: attempt - 1,
  };
}

/** A command that a signal or its time limit ended has no status of its own. */
function exitCodeOf(ending: CommandEnding | undefined): number {
  if (ending === undefined) return 0;
  return ending.kind === "exited" ? ending.code : -1;
}

export const classicDeadLetter = (task: FileTask, reason: string, timestamp: string, attempts: number) => ({
  ...task,
  dlq_reason: reason,
  dlq_timestamp: timestamp,
  retry_count: Math.max(0, attempts - 1),
});

export interface ClassicEnd {
  readonly task_id: string;
  readonly worker: string;
  readonly status: "completed" | "failed";
  readonly result_file: string;
  readonly duration_seconds: number;
}

export const classicNotice = (data: ClassicEnd, timedOut: boolean, timestamp: string) => ({
  event_type: timedOut ? ("task_timeout" as const) : ("task_completed" as const),
  timestamp,
  data,
});

/** Of programs that know three states and not five. */
const STATUS = {
  idle: "running",
  working: "running",
  open: "degraded",
  failing: "degraded",
  stopped: "stopped",
} as const;

export function classicHeartbeat(
  { worker, state, running, waiting, retrying, breaker }: WorkerHealth,
  stats: WorkerStats,
  uptimeSeconds: number,
  timestamp: string,
) {
  return {
    worker,
    timestamp,
    uptime_seconds: uptimeSeconds,
    queue_size: waiting + retrying,
    active_tasks: running.length,
    circuit_breaker_state: breaker,
    stats: {
      tasks_processed: stats.completed,
      tasks_failed: stats.failed,
      tasks_retried: stats.retried,
      tasks_dlq: stats.deadLettered,
    },
    status: STATUS[state],
  };
}
