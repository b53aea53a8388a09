import type { FileTaskLayout } from "../../src/core/file-tasks/file-task.ts";
import { BackOff } from "../base/back-off.ts";
import type { Logger } from "../base/log.ts";
import { classicHeartbeat } from "./classic-forms.ts";
import { ClassicOutcomes } from "./classic-outcomes.ts";
import { type Heartbeat, writeClassicHeartbeat, writeHeartbeat } from "./heartbeats.ts";
import { Outcomes, type OutcomesOptions } from "./outcomes.ts";
import type { TaskDirectories } from "./task-directories.ts";
import type { WorkerHealth } from "./worker-health.ts";
import type { WorkerStats } from "./worker-stats.ts";

/** Longest pause after a failure. */
const MAX_RETRY_MS = 60_000;

/** Files and claims whose handling failed. */
export function taskBackOff(what: string, rescanMs: number, log: Logger): BackOff {
  return new BackOff({
    initialMs: rescanMs,
    maxMs: Math.max(rescanMs, MAX_RETRY_MS),
    onNewReason: (item, error, pauseMs) =>
      log.error({ err: error, item, next_attempt_ms: pauseMs }, `${what}: a task could not be handled; it waits`),
  });
}

/** The files that report tasks, in the form of the layout. */
export function outcomesIn(layout: FileTaskLayout, options: OutcomesOptions): Outcomes {
  return layout === "classic" ? new ClassicOutcomes(options) : new Outcomes(options);
}

interface Beating {
  readonly tree: TaskDirectories;
  readonly health: WorkerHealth;
  readonly stats: WorkerStats;
}

export function writeBeat(layout: FileTaskLayout, beat: Heartbeat, { tree, health, stats }: Beating): Promise<void> {
  if (layout === "ganglion") return writeHeartbeat(beat, { tree });
  return writeClassicHeartbeat(classicHeartbeat(health, stats, process.uptime(), beat.timestamp), tree);
}
