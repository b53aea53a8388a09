import type { DashboardSpec, PanelSpec } from "./dashboard.ts";

/** The ecosystems that are chosen. */
const IN = 'ecosystem=~"$ecosystem"';
const rate = (counter: string, by: string) => `sum by (${by}) (rate(${counter}{${IN}}[$__rate_interval]))`;
const sum = (gauge: string, more = "") => `sum(${gauge}{${IN}${more}})`;
const by = (labels: string, gauge: string) => `sum by (${labels}) (${gauge}{${IN}})`;
const quantile = (share: number, histogram: string) =>
  `histogram_quantile(${share}, sum by (queue, le) (rate(${histogram}_bucket{${IN}}[$__rate_interval])))`;

type Look = Omit<PanelSpec, "kind" | "queries" | "title">;
const stat = (title: string, expr: string, look: Look): PanelSpec => ({
  title,
  kind: "stat",
  queries: { [title]: expr },
  ...look,
});
const chart = (title: string, queries: PanelSpec["queries"], look: Look): PanelSpec => ({
  title,
  kind: "timeseries",
  queries,
  ...look,
});

export const FLEET: DashboardSpec = {
  uid: "ganglion-fleet",
  title: "Ganglion: fleet",
  help: "Hosts, supervised processes, signals, gaps, rules and costs. Made by scripts/write-monitoring.ts.",
  rows: {
    "What needs somebody": [
      stat("Hosts down", sum("ganglion_hosts", ',state="down"'), {
        unit: "short",
        help: "Hosts that had a link and lost it",
        warn: [1, 5],
      }),
      stat("Processes that hang", sum("ganglion_processes", ',verdict="hung"'), {
        unit: "short",
        help: "Supervised processes that run and show no sign of life",
        warn: [1, 5],
      }),
      stat("Processes given up", sum("ganglion_processes", ',verdict="gave_up"'), {
        unit: "short",
        help: "Supervised processes that are not restarted any more",
        warn: [1, 5],
      }),
      stat("Open gaps", sum("ganglion_gaps"), {
        unit: "short",
        help: "Capabilities that the fleet lacks",
        warn: [1, 10],
      }),
      stat("Dead letters", sum("ganglion_dead_letters"), {
        unit: "short",
        help: "What could not be processed and waits for somebody",
        warn: [1, 20],
      }),
      stat("Rules quarantined", sum("ganglion_rules", ',state="quarantined"'), {
        unit: "short",
        help: "Rules that took too many steps and are not evaluated until they are edited",
        warn: [1, 5],
      }),
    ],
    Fleet: [
      chart(
        "Hosts",
        { "{{state}}": by("state", "ganglion_hosts") },
        { unit: "short", help: "Hosts that are up and down" },
      ),
      chart(
        "Supervised processes",
        { "{{verdict}}": by("verdict", "ganglion_processes") },
        { unit: "short", help: "By what their supervisor makes of them" },
      ),
      chart(
        "Restarts",
        { "{{ecosystem}}": `sum by (ecosystem) (increase(ganglion_process_restarts_total{${IN}}[1h]))` },
        { unit: "short", help: "Restarts of supervised processes within an hour" },
      ),
      chart(
        "Links",
        { hosts: sum("ganglion_linked_hosts"), "links and streams": sum("ganglion_subscribers") },
        { unit: "short", help: "Hosts that are linked, and all links and streams that are open" },
      ),
    ],
    Signals: [
      chart(
        "Signals",
        { "{{ecosystem}}": rate("ganglion_signals_total", "ecosystem") },
        { unit: "cps", help: "Signals a second" },
      ),
      chart(
        "Projection lag",
        { "{{projection}}": `max by (projection) (ganglion_projection_lag_signals{${IN}})` },
        { unit: "short", help: "Signals that concern a projection and that it has not taken in" },
      ),
      chart(
        "Gaps",
        {
          "raised {{category}}": rate("ganglion_gaps_raised_total", "category"),
          "resolved {{category}}": rate("ganglion_gaps_resolved_total", "category"),
        },
        { unit: "cps", help: "Gaps that are raised and resolved" },
      ),
      chart(
        "Decisions",
        { "{{rule}} {{outcome}}": rate("ganglion_decisions_total", "rule, outcome") },
        { unit: "cps", help: "Decisions of rules a second" },
      ),
    ],
    Cost: [
      chart(
        "List price",
        { "{{unit}}": `sum by (unit) (increase(ganglion_list_price_dollars_total{${IN}}[1d]))` },
        { unit: "currencyUSD", help: "What a day costs at list prices, storage and included amounts left out" },
      ),
      chart(
        "Budget",
        { "{{ecosystem}}": `ganglion_budget_spent_dollars{${IN}} / ganglion_budget_dollars{${IN}}` },
        { unit: "percentunit", help: "Share of the monthly budget that is spent" },
      ),
      chart(
        "Storage",
        { "{{object}}": by("object", "ganglion_database_bytes") },
        { unit: "bytes", help: "Bytes that objects store; Cloudflare allows 10 GB for each" },
      ),
      chart(
        "Memory",
        { "{{kind}}": `max by (kind) (ganglion_memory_bytes{${IN}} / ganglion_memory_limit_bytes{${IN}})` },
        { unit: "percentunit", help: "State in memory as a share of what it may take" },
      ),
    ],
  },
};

export const QUEUES: DashboardSpec = {
  uid: "ganglion-queues",
  title: "Ganglion: queues",
  help: "Tasks, calls, webhooks and dead letters. Made by scripts/write-monitoring.ts.",
  rows: {
    "What needs somebody": [
      stat("Tasks ready", sum("ganglion_tasks", ',state="ready"'), {
        unit: "short",
        help: "Tasks that wait, delayed ones included",
      }),
      stat("Tasks leased", sum("ganglion_tasks", ',state="leased"'), {
        unit: "short",
        help: "Tasks that workers hold",
      }),
      stat("Oldest task", `max(ganglion_task_oldest_seconds{${IN}})`, {
        unit: "s",
        help: "How long the oldest task has waited",
        warn: [300, 900],
      }),
      stat("Alerts raised", sum("ganglion_queue_alerts"), {
        unit: "short",
        help: "Alerts of queues by their settings",
        warn: [1, 5],
      }),
      stat("Breakers open", sum("ganglion_breakers", ',state="open"'), {
        unit: "short",
        help: "Recipients whose calls are refused because others failed",
        warn: [1, 5],
      }),
      stat("Queues paused", sum("ganglion_queue_paused"), {
        unit: "short",
        help: "Queues that somebody has paused",
        warn: [1, 5],
      }),
      stat("Schedules broken", sum("ganglion_schedules", ',state="broken"'), {
        unit: "short",
        help: "Schedules with a limit that is broken",
        warn: [1, 5],
      }),
      stat("Questions open", sum("ganglion_questions_open"), {
        unit: "short",
        help: "Questions to people and requests of permission that wait for an answer",
        warn: [5, 20],
      }),
      stat("Limits closed", sum("ganglion_limits", ',state="closed"'), {
        unit: "short",
        help: "Limits of providers of which nobody is granted anything",
        warn: [1, 5],
      }),
      stat("Endpoints failing", sum("ganglion_webhook_endpoints", ',state="failing"'), {
        unit: "short",
        help: "Webhook endpoints that accept no message",
        warn: [1, 5],
      }),
    ],
    Tasks: [
      chart(
        "Tasks",
        { "{{queue}} {{state}}": by("queue, state", "ganglion_tasks") },
        { unit: "short", help: "Tasks that wait or are leased" },
      ),
      chart(
        "Tasks that ended",
        { "{{queue}} {{outcome}}": rate("ganglion_tasks_finished_total", "queue, outcome") },
        { unit: "cps", help: "Tasks that ended a second, by outcome" },
      ),
      chart(
        "Waiting time",
        {
          "{{queue}} p50": quantile(0.5, "ganglion_task_wait_seconds"),
          "{{queue}} p95": quantile(0.95, "ganglion_task_wait_seconds"),
        },
        { unit: "s", help: "How long tasks had waited" },
      ),
      chart(
        "Running time",
        {
          "{{queue}} p50": quantile(0.5, "ganglion_task_run_seconds"),
          "{{queue}} p95": quantile(0.95, "ganglion_task_run_seconds"),
        },
        { unit: "s", help: "How long workers held tasks" },
      ),
      chart(
        "Workers",
        { "{{queue}}": by("queue", "ganglion_queue_workers") },
        { unit: "short", help: "Connected workers and waiting requests" },
      ),
      chart(
        "Calls",
        { "{{queue}} {{outcome}}": rate("ganglion_calls_total", "queue, outcome") },
        { unit: "cps", help: "Calls that ended a second, by outcome" },
      ),
    ],
    Coordination: [
      chart(
        "Schedules",
        { "{{state}}": by("state", "ganglion_schedules") },
        { unit: "short", help: "Schedules that are ok, paused, or have a broken limit" },
      ),
      chart(
        "Questions",
        { "{{kind}}": by("kind", "ganglion_questions_open") },
        { unit: "short", help: "Questions and requests of permission that wait" },
      ),
      chart(
        "Locks",
        { "{{mode}}": by("mode", "ganglion_locks"), waiting: sum("ganglion_lock_waits") },
        { unit: "short", help: "Locks that are held, and requests that wait for one" },
      ),
      chart(
        "Limits",
        { "{{state}}": by("state", "ganglion_limits") },
        { unit: "short", help: "Limits of providers by their state" },
      ),
    ],
    "Dead letters and webhooks": [
      chart(
        "Dead letters",
        { "{{ecosystem}}": `sum by (ecosystem) (increase(ganglion_dead_letters_recorded_total{${IN}}[1h]))` },
        { unit: "short", help: "Dead letters that were recorded within an hour" },
      ),
      chart(
        "Webhooks",
        {
          "{{outcome}}": rate("ganglion_webhook_deliveries_total", "outcome"),
          attempts: rate("ganglion_webhook_attempts_total", "job"),
        },
        { unit: "cps", help: "Messages whose delivery ended, and attempts" },
      ),
      chart(
        "File tasks",
        { "{{outcome}}": rate("ganglion_file_tasks_finished_total", "outcome") },
        { unit: "cps", help: "Tasks that were dropped as files and ended" },
      ),
      chart(
        "Age of states",
        { "{{object}}": `max by (object) (ganglion_state_age_seconds{${IN}})` },
        { unit: "s", help: "How long ago objects reported; those that sleep are not woken" },
      ),
    ],
  },
};
