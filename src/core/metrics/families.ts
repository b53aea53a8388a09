import { DURATION_SECONDS } from "../numbers/bucket-counts.ts";

/** A family of metrics: what its samples have in common. */
export interface Family {
  /** Without `_total`, which samples of counters end in. A unit ends the name. */
  readonly name: string;
  readonly type: "counter" | "gauge" | "histogram" | "info";
  readonly unit?: "seconds" | "bytes" | "dollars";
  readonly help: string;
  readonly labels: readonly string[];
  /** Bounds of the buckets of a histogram. */
  readonly buckets?: readonly number[];
  /** Samples of the same labels are added up, or the highest counts. Default: added up. */
  readonly fold?: "sum" | "max";
  /** Reported as the time since when, in milliseconds since the epoch; shown as an age. */
  readonly age?: true;
  /** Counted for a day or a month (UTC): what was reported in an earlier one is 0 now. */
  readonly per?: "day" | "month";
}

/**
 * Every family that the edge shows, in the order in which it shows them. The tables of docs/metrics.md are made from this
 * one.
 */
export const FAMILIES: readonly Family[] = [
  counter("ganglion_signals", "Signals that the log has taken in since it began"),
  gauge("ganglion_log_signals", "Signals that the log holds"),
  counter("ganglion_log_dropped_signals", "Signals that were dropped before their time for want of room"),
  gauge("ganglion_log_limit_bytes", "Bytes beyond which the oldest signals are dropped before their time", [], {
    unit: "bytes",
  }),
  gauge("ganglion_log_damaged_rows", "Rows of the log that cannot be read and are left out"),
  gauge("ganglion_subscribers", "Links of hosts and streams that are open"),
  gauge("ganglion_linked_hosts", "Hosts that have a link"),
  gauge(
    "ganglion_unacknowledged_bytes",
    "Bytes that were sent to links and streams and that these have not acknowledged",
    [],
    {
      unit: "bytes",
    },
  ),
  gauge(
    "ganglion_projection_lag_signals",
    "Signals from the place of a projection to the last one that concerns it",
    ["projection"],
    { fold: "max" },
  ),
  gauge("ganglion_window_observations", "Observations in the window on which scanners judge"),
  gauge("ganglion_gaps", "Gaps that are open", ["category"]),
  counter("ganglion_gaps_raised", "Gaps that were raised, reopened ones included", ["category"]),
  counter("ganglion_gaps_resolved", "Gaps that were resolved", ["category"]),
  gauge("ganglion_scanners", "Scanners", ["state"]),
  gauge("ganglion_rules", "Rules that are enabled, disabled, or quarantined until somebody edits them", ["state"]),
  counter("ganglion_decisions", "Decisions of rules", ["rule", "outcome"]),
  gauge("ganglion_expectations", "Signals that rules wait for"),
  counter("ganglion_expectations_late", "Awaited signals that did not come in time"),
  gauge("ganglion_tasks", "Tasks that wait or that workers hold", ["queue", "state"]),
  counter("ganglion_tasks_finished", "Tasks that ended, calls included", ["queue", "outcome"]),
  gauge("ganglion_task_oldest_seconds", "Age of the oldest task that waits", ["queue"], {
    unit: "seconds",
    fold: "max",
    age: true,
  }),
  histogram("ganglion_task_wait_seconds", "How long tasks that ended had waited", ["queue"]),
  histogram("ganglion_task_run_seconds", "How long workers held tasks that ended", ["queue"]),
  gauge("ganglion_queue_paused", "Whether somebody has paused the queue, so that it gives out no tasks: 1, else 0", [
    "queue",
  ]),
  gauge("ganglion_queue_workers", "Connected workers and waiting requests", ["queue"]),
  gauge("ganglion_queue_alerts", "Alerts that are raised", ["queue"]),
  counter("ganglion_calls", "Calls that ended", ["queue", "outcome"]),
  gauge("ganglion_breakers", "Breakers of recipients that are not closed", ["queue", "state"]),
  gauge("ganglion_schedules", "Schedules: ok, paused, or broken, where a limit of theirs is broken now", ["state"]),
  gauge("ganglion_questions_open", "Questions to people, and requests of permission, that wait for an answer", [
    "kind",
  ]),
  gauge("ganglion_question_oldest_seconds", "Age of the oldest question that waits for an answer", ["kind"], {
    unit: "seconds",
    fold: "max",
    age: true,
  }),
  gauge("ganglion_locks", "Locks that are held, by whether they are shared", ["mode"]),
  gauge("ganglion_lock_waits", "Requests that wait for a lock"),
  gauge("ganglion_limits", "Limits of providers: open, closed, probing after that, or ramping to their whole again", [
    "state",
  ]),
  gauge("ganglion_dead_letters", "Dead letters that wait to be replayed or discarded"),
  counter("ganglion_dead_letters_recorded", "Dead letters that were ever recorded"),
  gauge("ganglion_webhook_endpoints", "Webhook endpoints: enabled, failing or disabled", ["state"]),
  gauge("ganglion_webhook_deliveries_waiting", "Messages that wait to be delivered"),
  counter("ganglion_webhook_deliveries", "Messages whose delivery ended", ["outcome"]),
  counter("ganglion_webhook_attempts", "Attempts to deliver a message"),
  gauge("ganglion_hosts", "Hosts that are up or down", ["state"]),
  gauge("ganglion_host_alerts", "Alerts about hosts that are raised"),
  gauge("ganglion_processes", "Supervised processes of hosts that are up", ["verdict"]),
  counter("ganglion_process_restarts", "Restarts of supervised processes, as hosts reported them"),
  gauge("ganglion_file_tasks", "Tasks that were dropped as files and have not ended", ["state"]),
  counter("ganglion_file_tasks_finished", "Tasks that were dropped as files and ended", ["outcome"]),
  gauge("ganglion_model_budget_dollars", "Most that models may cost in a day", [], { unit: "dollars" }),
  gauge("ganglion_model_spent_dollars", "What models cost today (UTC), reserved amounts included", [], {
    unit: "dollars",
    per: "day",
  }),
  gauge("ganglion_budget_dollars", "Monthly budget; no sample: there is none", [], { unit: "dollars" }),
  gauge(
    "ganglion_budget_spent_dollars",
    "What is spent of the budget in this month (UTC), when it was last counted",
    [],
    {
      unit: "dollars",
      per: "month",
    },
  ),
  gauge(
    "ganglion_budget_left_out_observations",
    "Observations that were left out in this month (UTC), above the budget",
    [],
    {
      per: "month",
    },
  ),
  counter("ganglion_billed_units", "Units that Cloudflare bills, by line of the bill", ["object", "unit"]),
  counter("ganglion_list_price_dollars", "What these units cost at list prices, storage left out", ["unit"], {
    unit: "dollars",
  }),
  gauge("ganglion_database_bytes", "Bytes of storage that objects take", ["object"], { unit: "bytes" }),
  gauge("ganglion_memory_bytes", "Memory that state takes, about", ["kind"], { unit: "bytes" }),
  gauge("ganglion_memory_limit_bytes", "Memory beyond which something is refused or gives way", ["kind"], {
    unit: "bytes",
  }),
  gauge(
    "ganglion_state_age_seconds",
    "How long ago an object reported its state; one that sleeps is not woken",
    ["object", "queue"],
    {
      unit: "seconds",
      fold: "max",
      age: true,
    },
  ),
  counter("ganglion_series_dropped", "How often a label had 50 values already and another one became `other`"),
  gauge("ganglion_ecosystems", "Ecosystems that were ever active, or report"),
  gauge("ganglion_tokens", "Tokens, expired ones included"),
  { name: "ganglion_build", type: "info", help: "Version of the edge", labels: ["version"], fold: "max" },
];

const BY_NAME: ReadonlyMap<string, Family> = new Map(FAMILIES.map((family) => [family.name, family]));

export const familyNamed = (name: string): Family | undefined => BY_NAME.get(name);

type More = Pick<Family, "unit" | "fold" | "age" | "per">;

function counter(name: string, help: string, labels: readonly string[] = [], more: More = {}): Family {
  return { name, type: "counter", help, labels, ...more };
}

function gauge(name: string, help: string, labels: readonly string[] = [], more: More = {}): Family {
  return { name, type: "gauge", help, labels, ...more };
}

function histogram(name: string, help: string, labels: readonly string[]): Family {
  return { name, type: "histogram", unit: "seconds", help, labels, buckets: DURATION_SECONDS };
}
