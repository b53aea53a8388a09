import { stringify } from "yaml";
import type { AlertSpec } from "./alert.ts";
import { dashboardJson } from "./dashboard.ts";
import { FLEET, QUEUES } from "./dashboards.ts";
import { ALERTS, RECORDINGS } from "./rules.ts";

const MADE = "Made by scripts/write-monitoring.ts: change scripts/monitoring/ and run that.";
const RUNBOOK = "docs/runbook.md";

const runbookOf = (alert: string) => `${RUNBOOK}#${alert.toLowerCase()}`;

const yaml = (comment: string, value: unknown) =>
  `# ${comment}\n${stringify(value, { lineWidth: 0, aliasDuplicateObjects: false })}`;

const rules = {
  groups: [
    { name: "ganglion", rules: Object.entries(RECORDINGS).map(([record, expr]) => ({ record, expr })) },
    {
      name: "ganglion-alerts",
      rules: ALERTS.map(({ name, expr, for: lasting, severity, summary }) => ({
        alert: name,
        expr,
        ...(lasting === undefined ? {} : { for: lasting }),
        labels: { severity },
        annotations: { summary, runbook: runbookOf(name) },
      })),
    },
  ],
};

function testsOf({ name, severity, fires, stays }: AlertSpec): object[] {
  const inputs = (series: Readonly<Record<string, string>>) =>
    Object.entries(series).map(([one, values]) => ({ series: one, values }));
  const firing = {
    exp_labels: { severity, ...fires.labels },
    exp_annotations: { summary: fires.says, runbook: runbookOf(name) },
  };
  return [
    {
      interval: "1m",
      input_series: inputs(fires.series),
      alert_rule_test: [{ eval_time: fires.after, alertname: name, exp_alerts: [firing] }],
    },
    ...(stays === undefined
      ? []
      : [
          {
            interval: "1m",
            input_series: inputs(stays.series),
            alert_rule_test: [{ eval_time: stays.after, alertname: name, exp_alerts: [] }],
          },
        ]),
  ];
}

/** Prometheus 2.42 does not assume `Bearer` for the discovery, as it does for scrapes. */
const TOKEN = { type: "Bearer", credentials_file: "ganglion.token" };

const config = {
  global: { scrape_interval: "15s", evaluation_interval: "15s" },
  rule_files: ["ganglion.rules.yml"],
  scrape_configs: [
    {
      job_name: "ganglion",
      authorization: TOKEN,
      http_sd_configs: [{ url: "http://127.0.0.1:8787/metrics/targets", authorization: TOKEN }],
    },
    {
      job_name: "ganglion-totals",
      authorization: TOKEN,
      static_configs: [{ targets: ["127.0.0.1:8787"] }],
    },
    { job_name: "ganglion-agent", static_configs: [{ targets: ["127.0.0.1:9464"] }] },
  ],
};

/** What deploy/ holds, by path. */
export const MONITORING_FILES: Readonly<Record<string, string>> = {
  "deploy/grafana/ganglion-fleet.json": `${JSON.stringify(dashboardJson(FLEET), null, 2)}\n`,
  "deploy/grafana/ganglion-queues.json": `${JSON.stringify(dashboardJson(QUEUES), null, 2)}\n`,
  "deploy/prometheus/prometheus.yml": yaml(
    `Scrapes the edge and the agent of this machine: docs/metrics.md. ${MADE}`,
    config,
  ),
  "deploy/prometheus/ganglion.rules.yml": yaml(`Each alert has an entry in ${RUNBOOK}. ${MADE}`, rules),
  "deploy/prometheus/ganglion.rules.test.yml": yaml(`promtool test rules ganglion.rules.test.yml. ${MADE}`, {
    rule_files: ["ganglion.rules.yml"],
    evaluation_interval: "1m",
    tests: ALERTS.flatMap(testsOf),
  }),
};
