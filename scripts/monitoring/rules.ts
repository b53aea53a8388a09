import type { AlertSpec } from "./alert.ts";
import { EDGE_ALERTS } from "./edge-alerts.ts";
import { FLEET_ALERTS } from "./fleet-alerts.ts";

/** Recording rules, by the names of what they record. */
export const RECORDINGS: Readonly<Record<string, string>> = {
  "ganglion:signals:rate5m": "sum by (ecosystem) (rate(ganglion_signals_total[5m]))",
  "ganglion:tasks_finished:rate5m": "sum by (ecosystem, queue, outcome) (rate(ganglion_tasks_finished_total[5m]))",
  "ganglion:task_wait_seconds:p95_5m":
    "histogram_quantile(0.95, sum by (ecosystem, queue, le) (rate(ganglion_task_wait_seconds_bucket[5m])))",
  "ganglion:task_run_seconds:p95_5m":
    "histogram_quantile(0.95, sum by (ecosystem, queue, le) (rate(ganglion_task_run_seconds_bucket[5m])))",
  "ganglion:list_price_dollars:increase1d": "sum by (ecosystem) (increase(ganglion_list_price_dollars_total[1d]))",
};

export const ALERTS: readonly AlertSpec[] = [...FLEET_ALERTS, ...EDGE_ALERTS];
