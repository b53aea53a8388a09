import { Histogram } from "prom-client";
import type { Registrar } from "../feature/registrar.ts";
import type { FileWorkers } from "./file-workers.ts";

/** Upper limits of the times of attempts that are counted, in seconds. */
const BUCKETS = [1, 5, 10, 30, 60, 120, 300, 600];
/** How the older watcher counts the states of its breaker. */
const BREAKER = { closed: 0, open: 1, half_open: 2 } as const;

/** @returns what counts the duration of an attempt */
export function classicDurations({ metrics }: Registrar): (worker: string, seconds: number) => void {
  const histogram = new Histogram({
    name: "watcher_task_duration_seconds",
    help: "Duration of attempts at file tasks",
    labelNames: ["worker"],
    buckets: BUCKETS,
    registers: [metrics],
  });
  return (worker, seconds) => histogram.observe({ worker }, seconds);
}

/** The metrics of the older watcher of file tasks, under its names, for dashboards and alerts that are there. */
export function registerClassicMetrics(register: Registrar, workers: Pick<FileWorkers, "stats" | "health">): void {
  register.counter({
    name: "watcher_tasks_processed",
    help: "Attempts at file tasks that ended",
    labels: ["worker", "status"],
    read: () =>
      workers.stats.flatMap(({ worker, stats: { completed, failed } }) => [
        { worker, status: "completed", value: completed },
        { worker, status: "failed", value: failed },
      ]),
  });
  register.counter({
    name: "watcher_tasks_failed",
    help: "Attempts at file tasks that failed, by reason",
    labels: ["worker", "reason"],
    read: () =>
      workers.stats.flatMap(({ worker, stats }) =>
        [...stats.reasons].map(([reason, value]) => ({ worker, reason, value })),
      ),
  });
  register.gauge({
    name: "watcher_task_queue_size",
    help: "File tasks that wait",
    read: () => workers.health.reduce((sum, { waiting, retrying }) => sum + waiting + retrying, 0),
  });
  register.gauge({
    name: "watcher_active_tasks",
    help: "File tasks that run",
    read: () => workers.health.reduce((sum, { running }) => sum + running.length, 0),
  });
  register.gauge({
    name: "watcher_circuit_breaker_state",
    help: "0: closed, 1: open, 2: half open; of several workers that of the first which is not closed",
    read: () => BREAKER[workers.health.find(({ breaker }) => breaker !== "closed")?.breaker ?? "closed"],
  });
}
