import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { stringify } from "yaml";
import { PROJECT_ROOT } from "../../../local-edge/paths.ts";
import { MONITORING_FILES } from "../../../scripts/monitoring/files.ts";
import { ALERTS, RECORDINGS } from "../../../scripts/monitoring/rules.ts";
import { sampleName } from "../../../src/core/metrics/exposition.ts";
import { FAMILIES, type Family } from "../../../src/core/metrics/families.ts";
import { METRICS_TYPES } from "../../../src/core/metrics/format.ts";
import { temporaryDirectory } from "../../harness/cleanup.ts";
import { eventually } from "../../harness/eventually.ts";
import { freePort } from "../../harness/free-port.ts";
import { hasPrometheus, openMetricsFamilies, promtool } from "../../harness/prometheus.ts";
import { type RunningEdge, runEdge } from "../../harness/running-edge.ts";
import { RunningProcess } from "../../harness/running-process.ts";
import { ganglion } from "../../unit/cli/ganglion.ts";
import { fallen, readSamples } from "../../workers/metrics/exposed.ts";

interface Panel {
  readonly targets?: readonly { readonly expr: string }[];
}

const sampleNamesOf = ({ name, type }: Family) =>
  type === "histogram" ? ["_bucket", "_sum", "_count"].map((end) => name + end) : [sampleName(name, type)];

/** The first commands of the runbook, without those of the host's agent. `smoke` has tests of its own. */
function firstCommands(): string[] {
  const page = readFileSync(join(PROJECT_ROOT, "docs/runbook.md"), "utf8");
  const named = [...page.matchAll(/^First: `ganglion ([^`]+)`$/gm)].map(([, command = ""]) => command);
  return [...new Set(named)].filter((command) => command !== "smoke");
}

let edge: RunningEdge;
beforeAll(async () => {
  edge = await runEdge();
  await work(1);
});

async function ask(path: string, accept = "*/*") {
  const headers = { Authorization: `Bearer ${edge.token}`, Accept: accept };
  const answer = await fetch(`${edge.url}${path}`, { headers });
  return { type: answer.headers.get("content-type"), text: await answer.text() };
}

const METRICS = "/v1/default/metrics";
const samplesNow = async () => readSamples((await ask(METRICS)).text);

async function post<Answer>(path: string, body: unknown): Promise<Answer> {
  const headers = { Authorization: `Bearer ${edge.token}`, "Content-Type": "application/json" };
  const answer = await fetch(`${edge.url}${path}`, { method: "POST", headers, body: JSON.stringify(body) });
  return (await answer.json()) as Answer;
}

/** Signals of which a gap follows, and a task that is done. */
async function work(n: number): Promise<void> {
  const client = edge.client();
  const hot = { signal: "OBSERVATION", source: "test", facts: { zooid: `z${n}`, cpu_percent: 97 } };
  await client.emit(Array.from({ length: 5 }, () => hot));
  await client.queues.put("work", [{ recipient: "coder", type: "T", payload: { n }, task_id: `t${n}` }]);
  const queue = "/v1/default/queues/work";
  const { tasks } = await post<{ tasks: { lease_id: string }[] }>(`${queue}/lease`, { recipient: "coder" });
  await post(`${queue}/tasks/t${n}/complete`, { lease_id: tasks[0]?.lease_id });
}

describe("what deploy/ has for Prometheus and Grafana", () => {
  const panels = Object.entries(MONITORING_FILES)
    .filter(([path]) => path.startsWith("deploy/grafana/"))
    .flatMap(([, text]) => (JSON.parse(text) as { panels: Panel[] }).panels);
  const shown = panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr));
  const expressions = [...shown, ...ALERTS.map(({ expr }) => expr), ...Object.values(RECORDINGS)];

  // test/integration/telemetry/telemetry.test.ts looks for those of the hosts' agents.
  it("names only metrics that a real scrape has, with labels that they have", async () => {
    const { text } = await ask(METRICS);
    const families = new Set([...text.matchAll(/^# TYPE (\S+) /gm)].map(([, name]) => name));
    const named = expressions.flatMap((expr) => [...expr.matchAll(/\b(ganglion_\w+)(?:\{([^}]*)\})?/g)]);
    expect(named.length).toBeGreaterThan(60);
    for (const [, name = "", matchers = ""] of named) {
      if (name.startsWith("ganglion_agent_")) continue;
      expect(families).toContain(name.replace(/_(?:bucket|sum|count)$/, ""));
      const { labels = [] } =
        FAMILIES.find((family) => name.startsWith(family.name) && sampleNamesOf(family).includes(name)) ?? {};
      const used = [...matchers.matchAll(/(\w+)=/g)].map(([, label]) => label);
      expect([...labels, "ecosystem"]).toEqual(expect.arrayContaining(used));
    }
  });

  it.skipIf(!hasPrometheus)("has expressions that are valid, and rules that pass their tests", () => {
    const rules = expressions.map((expr, place) => ({
      record: `panel:${place}`,
      expr: expr.replaceAll("$__rate_interval", "5m").replaceAll("$ecosystem", ".*"),
    }));
    const file = join(temporaryDirectory(), "panels.yml");
    writeFileSync(file, stringify({ groups: [{ name: "panels", rules }] }));
    expect(promtool(["check", "rules", file])).toBe("");
    const deploy = join(PROJECT_ROOT, "deploy/prometheus");
    expect(promtool(["check", "rules", join(deploy, "ganglion.rules.yml")])).toBe("");
    expect(promtool(["test", "rules", join(deploy, "ganglion.rules.test.yml")])).toBe("");
    expect(promtool(["check", "config", "--syntax-only", join(deploy, "prometheus.yml")])).toBe("");
  });

  it.each(firstCommands())("begins with a command that works: ganglion %s", async (command) => {
    const { code, err } = await ganglion(command.split(" "), {
      env: { GANGLION_URL: edge.url, GANGLION_TOKEN: edge.token },
    });
    expect([code, err]).toEqual([0, expect.any(String)]);
  });
});

describe("a scrape of a real edge", () => {
  it("never shows a counter that fell, over kill -9 and a restart", async () => {
    const done = (count: number) => async () =>
      expect(Object.fromEntries(await samplesNow())).toMatchObject({
        'ganglion_gaps_raised_total{category="resource_utilization"}': count,
        'ganglion_tasks{queue="work",state="ready"}': 0,
      });
    await eventually(done(1));
    const before = await samplesNow();
    expect(before.size).toBeGreaterThan(80);
    edge.process.signal("SIGKILL");
    await edge.process.ended;
    edge = await runEdge({ stateDir: edge.stateDir, port: Number(new URL(edge.url).port) });
    const restarted = await samplesNow();
    expect(fallen(before, restarted)).toEqual([]);
    await work(2);
    await eventually(done(2));
    const after = await samplesNow();
    expect(fallen(restarted, after)).toEqual([]);
    expect(after.get("ganglion_signals_total")).toBeGreaterThan(before.get("ganglion_signals_total") ?? 0);
  });

  it.skipIf(!hasPrometheus)(
    "is what promtool and the strict parser of OpenMetrics accept, of an ecosystem and of all",
    async () => {
      for (const path of [METRICS, "/metrics"]) {
        const text = await ask(path);
        expect(text.type).toBe(METRICS_TYPES.text);
        expect(promtool(["check", "metrics"], text.text)).toBe("");
        const open = await ask(path, "application/openmetrics-text; version=1.0.0");
        expect(open.type).toBe(METRICS_TYPES.openmetrics);
        const families = openMetricsFamilies(open.text);
        const all = FAMILIES.map(({ name }) => name).filter(
          (name) => path === METRICS || name !== "ganglion_state_age_seconds",
        );
        expect(families).toEqual(all);
      }
    },
  );

  it.skipIf(!hasPrometheus)(
    "is taken by a Prometheus that finds the ecosystems by itself, with a bearer token",
    async () => {
      const directory = temporaryDirectory();
      writeFileSync(join(directory, "token"), edge.token);
      const authorization = { type: "Bearer", credentials_file: "token" };
      const discovery = [{ url: `${edge.url}/metrics/targets`, authorization }];
      const config = {
        global: { scrape_interval: "1s", scrape_timeout: "1s" },
        scrape_configs: [{ job_name: "ganglion", authorization, http_sd_configs: discovery }],
      };
      writeFileSync(join(directory, "prometheus.yml"), stringify(config));
      const address = `127.0.0.1:${await freePort()}`;
      const options = {
        "config.file": join(directory, "prometheus.yml"),
        "storage.tsdb.path": join(directory, "data"),
      };
      const prometheus = new RunningProcess(
        [...Object.entries(options).map(([name, value]) => `--${name}=${value}`), `--web.listen-address=${address}`],
        { command: "prometheus", cwd: directory },
      );
      await eventually(async () => {
        const query = encodeURIComponent('ganglion_signals_total{ecosystem="default"}');
        const answer = await (await fetch(`http://${address}/api/v1/query?query=${query}`)).json();
        expect(answer).toMatchObject({ data: { result: [{ metric: { job: "ganglion" } }] } });
      });
      prometheus.signal("SIGTERM");
      await prometheus.ended;
    },
  );
});
