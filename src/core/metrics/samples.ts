import type { Budget } from "../billing/budget.ts";
import type { HeapUse } from "../billing/heap-budget.ts";
import type { FleetHost } from "../hosts/fleet.ts";
import type { Gap } from "../introspection/api.ts";
import { LOCK_MODES, type LockMode } from "../locks/hold.ts";
import type { ModelSettingsView } from "../models/api.ts";
import { QUESTION_KINDS, type QuestionKind } from "../questions/state.ts";
import type { CallBreakers } from "../queue/call-breakers.ts";
import type { EverCounts } from "../queue/statistics.ts";
import type { TaskQueue } from "../queue/task-queue.ts";
import type { Sample } from "./report.ts";

/** How many of a list have each value of a label. */
function countBy(name: string, values: Iterable<string>, known: readonly string[] = []): Sample[] {
  const counts = new Map<string, number>(known.map((value) => [value, 0]));
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return [...counts].map(([value, count]) => [name, [value], count]);
}

export const memorySamples = (uses: readonly HeapUse[]): Sample[] =>
  uses.flatMap(({ kind, used_bytes, limit_bytes }): Sample[] => [
    ["ganglion_memory_bytes", [kind], used_bytes],
    ["ganglion_memory_limit_bytes", [kind], limit_bytes],
  ]);

interface LogFigures {
  readonly headSeq: number;
  readonly oldestSeq: number | null;
  readonly limitBytes: number;
  readonly droppedForSize: number;
  readonly damagedRows: number;
  readonly subscribers: number;
  readonly hosts: number;
  readonly bytesInFlight: number;
  readonly budget: Budget;
}

export function logSamples(log: LogFigures): Sample[] {
  const { headSeq, oldestSeq, budget } = log;
  const samples: Sample[] = [
    ["ganglion_signals", [], headSeq],
    ["ganglion_log_signals", [], oldestSeq === null ? 0 : headSeq - oldestSeq + 1],
    ["ganglion_log_dropped_signals", [], log.droppedForSize],
    ["ganglion_log_limit_bytes", [], log.limitBytes],
    ["ganglion_log_damaged_rows", [], log.damagedRows],
    ["ganglion_subscribers", [], log.subscribers],
    ["ganglion_linked_hosts", [], log.hosts],
    ["ganglion_unacknowledged_bytes", [], log.bytesInFlight],
  ];
  if (budget.monthly_usd !== null)
    samples.push(
      ["ganglion_budget_dollars", [], budget.monthly_usd],
      ["ganglion_budget_spent_dollars", [], budget.spent_usd],
      ["ganglion_budget_left_out_observations", [], budget.observations.left_out],
    );
  return samples;
}

export function windowSamples(observations: number, gaps: readonly Gap[], scanners: readonly string[]): Sample[] {
  return [
    ["ganglion_window_observations", [], observations],
    ...countBy(
      "ganglion_gaps",
      gaps.map(({ category }) => category),
    ),
    ...countBy("ganglion_scanners", scanners),
  ];
}

export function policySamples(rules: readonly ("enabled" | "disabled" | "quarantined")[], expected: number): Sample[] {
  return [
    ...countBy("ganglion_rules", rules, ["enabled", "disabled", "quarantined"]),
    ["ganglion_expectations", [], expected],
  ];
}

interface QueueFigures {
  readonly queue: Pick<TaskQueue, "depths" | "oldestWaitingMs">;
  readonly breakers: Pick<CallBreakers, "open">;
  /** As it is on the disk. */
  readonly ever: EverCounts;
  readonly workers: Readonly<Record<string, number>>;
  readonly alerts: number;
  readonly paused: boolean;
}

/** The label `queue` is added by whoever reads the samples. */
export function queueSamples({ queue, breakers, ever, workers, alerts, paused }: QueueFigures): Sample[] {
  const { depths, oldestWaitingMs } = queue;
  return [
    ["ganglion_tasks", ["", "ready"], depths.queued],
    ["ganglion_tasks", ["", "leased"], depths.running],
    ["ganglion_tasks", ["", "verifying"], depths.verifying],
    ...ever.ended.map(([outcome, count]): Sample => ["ganglion_tasks_finished", ["", outcome], count]),
    ...(oldestWaitingMs === undefined ? [] : [["ganglion_task_oldest_seconds", [], oldestWaitingMs] satisfies Sample]),
    ["ganglion_task_wait_seconds", [], ever.waiting],
    ["ganglion_task_run_seconds", [], ever.running],
    ["ganglion_queue_paused", [], paused ? 1 : 0],
    ["ganglion_queue_workers", [], Object.values(workers).reduce((sum, count) => sum + count, 0)],
    ["ganglion_queue_alerts", [], alerts],
    ...ever.calls.map(([outcome, count]): Sample => ["ganglion_calls", ["", outcome], count]),
    ...["open", "half_open"].map((state): Sample => {
      const count = breakers.open.filter(([, one]) => one.state === state).length;
      return ["ganglion_breakers", ["", state], count];
    }),
  ];
}

/** How many schedules there are, of each state: one that is broken is counted as such, paused or not. */
export interface ScheduleCounts {
  readonly total: number;
  readonly paused: number;
  readonly broken: number;
}

export const scheduleSamples = ({ total, paused, broken }: ScheduleCounts): Sample[] => [
  ["ganglion_schedules", ["ok"], total - paused - broken],
  ["ganglion_schedules", ["paused"], paused],
  ["ganglion_schedules", ["broken"], broken],
];

/** Open questions of a kind. */
export interface OpenQuestions {
  readonly kind: QuestionKind;
  readonly count: number;
  /** When the oldest of them was asked. */
  readonly oldestMs: number;
}

export function questionSamples(open: readonly OpenQuestions[]): Sample[] {
  return QUESTION_KINDS.flatMap((kind): Sample[] => {
    const found = open.find((one) => one.kind === kind);
    if (found === undefined) return [["ganglion_questions_open", [kind], 0]];
    return [
      ["ganglion_questions_open", [kind], found.count],
      ["ganglion_question_oldest_seconds", [kind], found.oldestMs],
    ];
  });
}

export const lockSamples = (modes: Iterable<LockMode>, waits: number): Sample[] => [
  ...countBy("ganglion_locks", modes, LOCK_MODES),
  ["ganglion_lock_waits", [], waits],
];

/** @param states - of each limit, as it was stored last */
export const limitSamples = (states: Iterable<string>): Sample[] =>
  countBy("ganglion_limits", states, ["open", "closed", "probing", "ramping"]);

export const deadLetterSamples = (open: number, everRecorded: number): Sample[] => [
  ["ganglion_dead_letters", [], open],
  ["ganglion_dead_letters_recorded", [], everRecorded],
];

interface EndpointFigures {
  readonly enabled: boolean;
  readonly failing: boolean;
  readonly waiting: number;
}

export function webhookSamples(endpoints: readonly EndpointFigures[]): Sample[] {
  const states = endpoints.map(({ enabled, failing }) => (!enabled ? "disabled" : failing ? "failing" : "enabled"));
  const waiting = endpoints.reduce((sum, one) => sum + one.waiting, 0);
  return [
    ...countBy("ganglion_webhook_endpoints", states, ["enabled", "failing", "disabled"]),
    ["ganglion_webhook_deliveries_waiting", [], waiting],
  ];
}

/** What the supervisor of a host may say of a process; a host is not believed to know other words. */
const VERDICTS = ["working", "waiting", "idle", "hung", "dead", "gave_up"];

export function hostSamples(hosts: readonly FleetHost[], restarts: number): Sample[] {
  const up = hosts.filter(({ state }) => state === "up");
  const verdicts = up.flatMap(({ processes }) =>
    processes.map(({ state, verdict }) => (state === "gave_up" ? state : verdict)),
  );
  return [
    ["ganglion_hosts", ["up"], up.length],
    ["ganglion_hosts", ["down"], hosts.length - up.length],
    ["ganglion_host_alerts", [], hosts.reduce((sum, { alerts }) => sum + alerts.length, 0)],
    ...countBy(
      "ganglion_processes",
      verdicts.map((verdict) => (VERDICTS.includes(verdict) ? verdict : "other")),
      VERDICTS,
    ),
    ["ganglion_process_restarts", [], restarts],
  ];
}

export function fileTaskSamples(workers: readonly { readonly running: number; readonly overdue: number }[]): Sample[] {
  const sum = (of: "running" | "overdue") => workers.reduce((all, worker) => all + worker[of], 0);
  return [
    ["ganglion_file_tasks", ["running"], sum("running")],
    ["ganglion_file_tasks", ["overdue"], sum("overdue")],
  ];
}

export function modelSamples({
  enabled,
  daily,
  spent,
}: Pick<ModelSettingsView, "enabled" | "daily" | "spent">): Sample[] {
  if (!enabled) return [];
  return [
    ["ganglion_model_budget_dollars", [], daily.usd],
    ["ganglion_model_spent_dollars", [], spent.usd],
  ];
}
