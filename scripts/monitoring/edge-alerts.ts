import type { AlertSpec } from "./alert.ts";

const E = 'ecosystem="default"';
const labels = { ecosystem: "default" };
const queue = { ecosystem: "default", queue: "work" };

/** Alerts about queues, rules, the log and what leaves the edge. */
export const EDGE_ALERTS: readonly AlertSpec[] = [
  {
    name: "GanglionTasksWait",
    expr: "ganglion_task_oldest_seconds > 900",
    for: "5m",
    severity: "warning",
    summary:
      "The oldest task of {{ $labels.queue }} in {{ $labels.ecosystem }} has waited for {{ $value | humanizeDuration }}",
    fires: {
      series: { [`ganglion_task_oldest_seconds{${E},queue="work"}`]: "0+60x40" },
      says: "The oldest task of work in default has waited for 25m 0s",
      after: "25m",
      labels: queue,
    },
    stays: { series: { [`ganglion_task_oldest_seconds{${E},queue="work"}`]: "600x40" }, after: "25m" },
  },
  {
    name: "GanglionTasksFail",
    expr:
      'sum by (ecosystem, queue) (rate(ganglion_tasks_finished_total{outcome=~"failed|expired"}[15m])) / ' +
      "sum by (ecosystem, queue) (rate(ganglion_tasks_finished_total[15m])) > 0.2",
    for: "5m",
    severity: "warning",
    summary: "{{ $value | humanizePercentage }} of the tasks of {{ $labels.queue }} in {{ $labels.ecosystem }} fail",
    fires: {
      series: {
        [`ganglion_tasks_finished_total{${E},queue="work",outcome="failed"}`]: "0+1x40",
        [`ganglion_tasks_finished_total{${E},queue="work",outcome="complete"}`]: "0+1x40",
      },
      says: "50% of the tasks of work in default fail",
      after: "25m",
      labels: queue,
    },
    stays: {
      series: {
        [`ganglion_tasks_finished_total{${E},queue="work",outcome="failed"}`]: "0+1x40",
        [`ganglion_tasks_finished_total{${E},queue="work",outcome="complete"}`]: "0+9x40",
      },
      after: "25m",
    },
  },
  {
    name: "GanglionBreakerOpen",
    expr: 'ganglion_breakers{state="open"} > 0',
    for: "5m",
    severity: "warning",
    summary: "Calls of {{ $value }} recipients of {{ $labels.queue }} in {{ $labels.ecosystem }} are refused",
    fires: {
      series: { [`ganglion_breakers{${E},queue="work",state="open"}`]: "1x20" },
      says: "Calls of 1 recipients of work in default are refused",
      after: "10m",
      labels: { ...queue, state: "open" },
    },
    stays: { series: { [`ganglion_breakers{${E},queue="work",state="open"}`]: "0x20" }, after: "10m" },
  },
  {
    name: "GanglionQueuePaused",
    expr: 'ganglion_queue_paused == 1 and on (ecosystem, queue) ganglion_tasks{state="ready"} > 0',
    for: "1h",
    severity: "warning",
    summary: "Somebody has paused {{ $labels.queue }} in {{ $labels.ecosystem }} for an hour, and tasks wait",
    fires: {
      series: {
        [`ganglion_queue_paused{${E},queue="work"}`]: "1x120",
        [`ganglion_tasks{${E},queue="work",state="ready"}`]: "3x120",
      },
      says: "Somebody has paused work in default for an hour, and tasks wait",
      after: "70m",
      labels: queue,
    },
    stays: {
      series: {
        [`ganglion_queue_paused{${E},queue="work"}`]: "1x120",
        [`ganglion_tasks{${E},queue="work",state="ready"}`]: "0x120",
      },
      after: "70m",
    },
  },
  {
    name: "GanglionScheduleBroken",
    expr: 'ganglion_schedules{state="broken"} > 0',
    for: "5m",
    severity: "warning",
    summary: "{{ $value }} schedules of {{ $labels.ecosystem }} are late, too fast or too often",
    fires: {
      series: { [`ganglion_schedules{${E},state="broken"}`]: "2x20" },
      says: "2 schedules of default are late, too fast or too often",
      after: "10m",
      labels: { ...labels, state: "broken" },
    },
    stays: { series: { [`ganglion_schedules{${E},state="broken"}`]: "2x4 0x20" }, after: "10m" },
  },
  {
    name: "GanglionQuestionWaits",
    expr: "ganglion_question_oldest_seconds > 14400",
    severity: "warning",
    summary: "A {{ $labels.kind }} of {{ $labels.ecosystem }} has waited for {{ $value | humanizeDuration }}",
    fires: {
      series: { [`ganglion_question_oldest_seconds{${E},kind="question"}`]: "0+60x300" },
      says: "A question of default has waited for 4h 10m 0s",
      after: "250m",
      labels: { ...labels, kind: "question" },
    },
    stays: { series: { [`ganglion_question_oldest_seconds{${E},kind="question"}`]: "3600x300" }, after: "250m" },
  },
  {
    name: "GanglionLimitClosed",
    expr: 'ganglion_limits{state="closed"} > 0',
    for: "30m",
    severity: "warning",
    summary: "{{ $value }} limits of {{ $labels.ecosystem }} are closed: tasks that name them wait",
    fires: {
      series: { [`ganglion_limits{${E},state="closed"}`]: "1x60" },
      says: "1 limits of default are closed: tasks that name them wait",
      after: "40m",
      labels: { ...labels, state: "closed" },
    },
    stays: { series: { [`ganglion_limits{${E},state="closed"}`]: "1x20 0x40" }, after: "40m" },
  },
  {
    name: "GanglionDeadLettersGrow",
    expr: "increase(ganglion_dead_letters_recorded_total[1h]) > 20",
    severity: "warning",
    summary: "{{ $value | humanize }} dead letters of {{ $labels.ecosystem }} within an hour",
    fires: {
      series: { [`ganglion_dead_letters_recorded_total{${E}}`]: "0+1x120" },
      says: "60 dead letters of default within an hour",
      after: "65m",
      labels,
    },
    stays: { series: { [`ganglion_dead_letters_recorded_total{${E}}`]: "30x120" }, after: "65m" },
  },
  {
    name: "GanglionProjectionLags",
    expr: "ganglion_projection_lag_signals > 1000",
    for: "10m",
    severity: "critical",
    summary: "The projection {{ $labels.projection }} of {{ $labels.ecosystem }} is {{ $value }} signals behind",
    fires: {
      series: { [`ganglion_projection_lag_signals{${E},projection="policy"}`]: "5000x30" },
      says: "The projection policy of default is 5000 signals behind",
      after: "15m",
      labels: { ...labels, projection: "policy" },
    },
    stays: { series: { [`ganglion_projection_lag_signals{${E},projection="policy"}`]: "5000x5 0x25" }, after: "15m" },
  },
  {
    name: "GanglionLogDropsSignals",
    expr: "increase(ganglion_log_dropped_signals_total[1h]) > 0",
    severity: "critical",
    summary: "The log of {{ $labels.ecosystem }} drops signals before their time, for want of room",
    fires: {
      series: { [`ganglion_log_dropped_signals_total{${E}}`]: "0x30 100x40" },
      says: "The log of default drops signals before their time, for want of room",
      after: "40m",
      labels,
    },
    stays: { series: { [`ganglion_log_dropped_signals_total{${E}}`]: "100x70" }, after: "65m" },
  },
  {
    name: "GanglionLogDamaged",
    expr: "ganglion_log_damaged_rows > 0",
    severity: "critical",
    summary: "{{ $value }} rows of the log of {{ $labels.ecosystem }} cannot be read",
    fires: {
      series: { [`ganglion_log_damaged_rows{${E}}`]: "1x5" },
      says: "1 rows of the log of default cannot be read",
      after: "3m",
      labels,
    },
    stays: { series: { [`ganglion_log_damaged_rows{${E}}`]: "0x5" }, after: "3m" },
  },
  {
    name: "GanglionWebhookFails",
    expr: 'ganglion_webhook_endpoints{state="failing"} > 0',
    for: "15m",
    severity: "warning",
    summary: "{{ $value }} webhook endpoints of {{ $labels.ecosystem }} accept no message",
    fires: {
      series: { [`ganglion_webhook_endpoints{${E},state="failing"}`]: "1x30" },
      says: "1 webhook endpoints of default accept no message",
      after: "20m",
      labels: { ...labels, state: "failing" },
    },
    stays: { series: { [`ganglion_webhook_endpoints{${E},state="failing"}`]: "1x10 0x20" }, after: "20m" },
  },
  {
    name: "GanglionExpectationsLate",
    expr: "increase(ganglion_expectations_late_total[15m]) > 0",
    severity: "warning",
    summary: "Signals that rules of {{ $labels.ecosystem }} waited for did not come in time",
    fires: {
      series: { [`ganglion_expectations_late_total{${E}}`]: "0x5 1x20" },
      says: "Signals that rules of default waited for did not come in time",
      after: "10m",
      labels,
    },
    stays: { series: { [`ganglion_expectations_late_total{${E}}`]: "1x30" }, after: "20m" },
  },
  {
    name: "GanglionRuleQuarantined",
    expr: 'ganglion_rules{state="quarantined"} > 0',
    severity: "warning",
    summary: "{{ $value }} rules of {{ $labels.ecosystem }} took too many steps and are not evaluated",
    fires: {
      series: { [`ganglion_rules{${E},state="quarantined"}`]: "1x5" },
      says: "1 rules of default took too many steps and are not evaluated",
      after: "3m",
      labels: { ...labels, state: "quarantined" },
    },
    stays: { series: { [`ganglion_rules{${E},state="enabled"}`]: "9x5" }, after: "3m" },
  },
  {
    name: "GanglionMemoryNearLimit",
    expr: "ganglion_memory_bytes / ganglion_memory_limit_bytes > 0.9",
    for: "10m",
    severity: "warning",
    summary:
      "State of the kind {{ $labels.kind }} in {{ $labels.ecosystem }} takes {{ $value | humanizePercentage }} of its memory",
    fires: {
      series: {
        [`ganglion_memory_bytes{${E},kind="tasks"}`]: "95x30",
        [`ganglion_memory_limit_bytes{${E},kind="tasks"}`]: "100x30",
      },
      says: "State of the kind tasks in default takes 95% of its memory",
      after: "15m",
      labels: { ...labels, kind: "tasks" },
    },
    stays: {
      series: {
        [`ganglion_memory_bytes{${E},kind="tasks"}`]: "50x30",
        [`ganglion_memory_limit_bytes{${E},kind="tasks"}`]: "100x30",
      },
      after: "15m",
    },
  },
];
