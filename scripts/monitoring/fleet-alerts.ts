import type { AlertSpec } from "./alert.ts";

const E = 'ecosystem="default"';
const labels = { ecosystem: "default" };

/** Alerts about hosts, what they run, and what the fleet lacks and costs. */
export const FLEET_ALERTS: readonly AlertSpec[] = [
  {
    name: "GanglionWatchdog",
    expr: "vector(1)",
    severity: "none",
    summary: "This alert always fires: where it is missing, alerts do not arrive",
    fires: {
      series: {},
      says: "This alert always fires: where it is missing, alerts do not arrive",
      after: "1m",
      labels: {},
    },
  },
  {
    name: "GanglionScrapeFails",
    expr: 'up{job=~"ganglion.*"} == 0',
    for: "5m",
    severity: "critical",
    summary: "Prometheus cannot read {{ $labels.job }} at {{ $labels.instance }}",
    fires: {
      series: { 'up{job="ganglion",instance="edge"}': "0x20" },
      says: "Prometheus cannot read ganglion at edge",
      after: "10m",
      labels: { job: "ganglion", instance: "edge" },
    },
    stays: { series: { 'up{job="ganglion",instance="edge"}': "1x3 0x2 1x15" }, after: "15m" },
  },
  {
    name: "GanglionHostDown",
    expr: 'ganglion_hosts{state="down"} > 0',
    for: "10m",
    severity: "warning",
    summary: "{{ $value }} hosts of {{ $labels.ecosystem }} are down",
    fires: {
      series: { [`ganglion_hosts{${E},state="down"}`]: "2x30" },
      says: "2 hosts of default are down",
      after: "15m",
      labels: { ...labels, state: "down" },
    },
    stays: { series: { [`ganglion_hosts{${E},state="down"}`]: "0x30" }, after: "15m" },
  },
  {
    name: "GanglionProcessHangs",
    expr: 'ganglion_processes{verdict="hung"} > 0',
    for: "10m",
    severity: "warning",
    summary: "{{ $value }} supervised processes of {{ $labels.ecosystem }} hang",
    fires: {
      series: { [`ganglion_processes{${E},verdict="hung"}`]: "1x30" },
      says: "1 supervised processes of default hang",
      after: "15m",
      labels: { ...labels, verdict: "hung" },
    },
    stays: { series: { [`ganglion_processes{${E},verdict="waiting"}`]: "5x30" }, after: "15m" },
  },
  {
    name: "GanglionProcessGivenUp",
    expr: 'ganglion_processes{verdict="gave_up"} > 0',
    severity: "critical",
    summary: "{{ $value }} supervised processes of {{ $labels.ecosystem }} are not restarted any more",
    fires: {
      series: { [`ganglion_processes{${E},verdict="gave_up"}`]: "0x5 1x5" },
      says: "1 supervised processes of default are not restarted any more",
      after: "8m",
      labels: { ...labels, verdict: "gave_up" },
    },
    stays: { series: { [`ganglion_processes{${E},verdict="gave_up"}`]: "0x10" }, after: "8m" },
  },
  {
    name: "GanglionProcessRestarts",
    expr: "increase(ganglion_process_restarts_total[15m]) > 5",
    severity: "warning",
    summary: "Supervised processes of {{ $labels.ecosystem }} are restarted again and again",
    fires: {
      series: { [`ganglion_process_restarts_total{${E}}`]: "0+1x30" },
      says: "Supervised processes of default are restarted again and again",
      after: "20m",
      labels,
    },
    stays: { series: { [`ganglion_process_restarts_total{${E}}`]: "7x30" }, after: "20m" },
  },
  {
    name: "GanglionGapStaysOpen",
    expr: "ganglion_gaps > 0",
    for: "1h",
    severity: "info",
    summary:
      "{{ $value }} gaps of the category {{ $labels.category }} in {{ $labels.ecosystem }} have been open for an hour",
    fires: {
      series: { [`ganglion_gaps{${E},category="resource"}`]: "1x90" },
      says: "1 gaps of the category resource in default have been open for an hour",
      after: "70m",
      labels: { ...labels, category: "resource" },
    },
    stays: { series: { [`ganglion_gaps{${E},category="resource"}`]: "1x30 0x60" }, after: "70m" },
  },
  {
    name: "GanglionBudgetNearlySpent",
    expr: "ganglion_budget_spent_dollars / ganglion_budget_dollars > 0.8",
    severity: "warning",
    summary: "{{ $value | humanizePercentage }} of the monthly budget of {{ $labels.ecosystem }} are spent",
    fires: {
      series: { [`ganglion_budget_spent_dollars{${E}}`]: "9x5", [`ganglion_budget_dollars{${E}}`]: "10x5" },
      says: "90% of the monthly budget of default are spent",
      after: "3m",
      labels,
    },
    stays: {
      series: { [`ganglion_budget_spent_dollars{${E}}`]: "7x5", [`ganglion_budget_dollars{${E}}`]: "10x5" },
      after: "3m",
    },
  },
  {
    name: "GanglionAgentUnlinked",
    expr: 'ganglion_agent_link_state{state="connected"} == 0',
    for: "5m",
    severity: "warning",
    summary: "The agent at {{ $labels.instance }} has no link to its edge",
    fires: {
      series: { 'ganglion_agent_link_state{instance="host",state="connected"}': "0x20" },
      says: "The agent at host has no link to its edge",
      after: "10m",
      labels: { instance: "host", state: "connected" },
    },
    stays: { series: { 'ganglion_agent_link_state{instance="host",state="connected"}': "1x20" }, after: "10m" },
  },
  {
    name: "GanglionSpoolGrows",
    expr: "sum by (instance) (ganglion_agent_spool_signals) > 10000",
    for: "10m",
    severity: "warning",
    summary: "{{ $value | humanize }} signals wait at {{ $labels.instance }} for the edge",
    fires: {
      series: {
        'ganglion_agent_spool_signals{instance="host",lane="bus"}': "9000x30",
        'ganglion_agent_spool_signals{instance="host",lane="local"}': "9000x30",
      },
      says: "18k signals wait at host for the edge",
      after: "15m",
      labels: { instance: "host" },
    },
    stays: { series: { 'ganglion_agent_spool_signals{instance="host",lane="bus"}': "9000x30" }, after: "15m" },
  },
];
