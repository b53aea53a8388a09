import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, vi } from "vitest";
import { upToDateBundleFile } from "../../../local-edge/bundle.ts";
import { startEdge } from "../../../local-edge/edge.ts";
import { createClient } from "../../../src/client/client.ts";
import { ApiProblem } from "../../../src/client/http/problem-errors.ts";
import { atEnd, temporaryDirectory } from "../../harness/cleanup.ts";
import { runAgent } from "../../harness/running-agent.ts";
import { PATIENCE_MS } from "../../harness/until.ts";
import recorded from "./recorded-state/recorded.json" with { type: "json" };

/**
 * A state directory that the edge and the agent of an earlier commit left when they were killed, taken up by those of
 * today. How it was recorded: test/integration/start/recorded-state/README.md.
 */
const patience = { timeout: PATIENCE_MS, interval: 50 };
const ageDays = (Date.now() - Date.parse(recorded.recorded_at)) / 86_400_000;
/** The registry, dead letters and decisions are kept for 30 days, tasks that were dropped as files for 7. */
const [withinMonth, withinWeek] = [ageDays < 29, ageDays < 6];

const directory = temporaryDirectory();
execFileSync("tar", ["-xzf", join(import.meta.dirname, "recorded-state", "state.tar.gz"), "-C", directory]);
const host = join(directory, "host");

// The log keeps seven days, and the recorded state grows older than that.
process.env.GANGLION_RETENTION_DAYS = "36500";
atEnd(() => {
  delete process.env.GANGLION_RETENTION_DAYS;
});
const edge = await startEdge({
  bundle: await upToDateBundleFile(),
  port: 0,
  stateDir: join(directory, "edge-state"),
  adminToken: recorded.administrator_token,
  log: () => {},
});
atEnd(() => edge.stop());
const client = createClient({ url: edge.url, token: recorded.administrator_token });
const named = async (name: string) => (await client.signals({ signals: [name], limit: 1_000 })).signals;

describe("an edge on the state of an earlier commit", () => {
  it("has every signal in its order, and gives the next its next number", async () => {
    expect(await numbersUpTo(recorded.head_seq)).toEqual(
      Array.from({ length: recorded.head_seq }, (_, index) => index + 1),
    );
    const { log } = await client.status();
    const { first_seq } = await client.emit({ signal: "Q_TODAY", source: "test", facts: {} });
    expect(first_seq).toBeGreaterThan(log.head_seq);
    expect((await client.signals({ after: log.head_seq })).signals.map(({ seq }) => seq)).toContain(first_seq);
  });

  it("finds signals by ids from outside, behind a closed zone, and their effects by their causes", async () => {
    expect(await client.signal("filler-7")).toMatchObject({ signal: "Q_FILLER", facts: { n: 7 } });
    const { effects } = await client.lineage("outside-1");
    expect(effects.map(({ id }) => id)).toContain("outside-2");
    expect((await client.lineage("outside-2")).causes.map(({ id }) => id)).toEqual(["outside-1"]);
  });

  it("has the gap that was resolved and the one beside it", async () => {
    const gaps = await client.gaps("all");
    expect(gaps.map(({ name }) => name).sort()).toEqual(["cpu_bottleneck_busy", "cpu_bottleneck_calm"]);
    expect(gaps.find(({ name }) => name === "cpu_bottleneck_calm")).toMatchObject({ status: "resolved" });
  });

  it("has what people set: scanners, window, monitors, models, maintenance", async () => {
    const scanner = (await client.scanners()).find(({ id }) => id === "resource_utilization");
    expect(scanner?.settings).toMatchObject({ cpu_percent_above: 91 });
    expect(await client.observationSettings()).toMatchObject({ window_seconds: 123 });
    expect(await client.agents.monitors()).toMatchObject({ agent_grace_seconds: 77 });
    expect(await client.models.settings()).toMatchObject({
      enabled: false,
      models: [{ name: "small", url: "http://127.0.0.1:9/v1/chat" }],
      daily: { requests: 12, usd: 3 },
    });
    expect(await client.maintenance()).toMatchObject({ enabled: true, reason: "recorded" });
    expect(await client.setMaintenance({ enabled: false })).toMatchObject({ enabled: false });
  });

  it("has the rules with their versions, those that were changed, and not the one that was deleted", async () => {
    const rules = new Map((await client.policy.list()).map((rule) => [rule.id, rule]));
    expect(rules.get("promotions-to-dream")).toMatchObject({ enabled: false });
    expect(rules.get("recorded-count")).toMatchObject({ description: "the second version" });
    expect(rules.has("recorded-deleted")).toBe(false);
    expect((await client.policy.show("recorded-count")).versions).toHaveLength(2);
    expect((await client.policy.show("recorded-deleted")).policy).toBeNull();
  });

  it("counts on where a rule had counted to, and carries out what the rule decides", async () => {
    await client.emit({ signal: "Q_RECORDED", source: "test", facts: { n: 3 } });
    await vi.waitFor(async () => expect(await named("Q_RECORDED_THRICE")).toHaveLength(1), patience);
    await vi.waitFor(async () => expect((await client.queues.status("decided")).depth).toBe(1), patience);
  });

  it("still waits for what is expected until it comes", async () => {
    const waiting = async () =>
      (await client.policy.expectations({ rule: "recorded-expectation" })).expectations.length;
    expect(await waiting()).toBe(1);
    await client.emit({ signal: "Q_RECORDED_END", source: "test", facts: { job: "a" } });
    await vi.waitFor(async () => expect(await waiting()).toBe(0), patience);
    expect(await named("Q_RECORDED_LATE")).toEqual([]);
  });

  it.skipIf(!withinMonth)("has the decisions", async () => {
    const { decisions } = await client.decisions({ rule: "gap-to-investigation", limit: 100 });
    expect(decisions.filter(({ outcome }) => outcome === "fired").length).toBeGreaterThanOrEqual(2);
  });

  it.skipIf(!withinMonth)("has the dead letters of webhooks, tasks and reactions", async () => {
    const { dead_letters } = await client.deadLetters.list();
    expect(new Set(dead_letters.map(({ kind }) => kind))).toEqual(new Set(["webhook", "task", "reaction"]));
  });

  it("has the webhook endpoints with the deliveries that ended", async () => {
    const endpoints = new Map((await client.webhooks.list()).map((each) => [each.id, each]));
    expect(endpoints.get("receiver")).toMatchObject({ enabled: true, description: "takes everything" });
    expect(endpoints.get("gone")).toMatchObject({ enabled: false });
    expect(await client.webhooks.deliveries("receiver")).toMatchObject([{ state: "delivered", attempts: 1 }]);
  });

  it("has the tasks that wait and the queue's settings, and completes the task whose lease ran out", async () => {
    expect(await client.queues.status("work")).toMatchObject({ settings: { capacity: 1_234, alert_depth: 2 } });
    const { tasks } = await client.queues.tasks("work", { limit: 100 });
    const ids = new Set(tasks.map(({ task_id }) => task_id));
    for (const id of ["waiting-1", "waiting-2", "waiting-3", "delayed", "leased"]) expect(ids).toContain(id);
    const lease = async (recipient: string) => {
      const response = await post("/queues/work/lease", { recipient, wait_ms: 10_000 });
      return (await response.json()) as { tasks: { task_id: string; lease_id: string; attempt: number }[] };
    };
    const [leased] = (await lease("other")).tasks;
    expect(leased).toMatchObject({ task_id: "leased", attempt: 2 });
    const completed = await post("/queues/work/tasks/leased/complete", { lease_id: leased?.lease_id, result: {} });
    expect(await completed.json()).toMatchObject({ status: "complete" });
    expect((await lease("worker")).tasks).toMatchObject([{ task_id: "waiting-1" }]);
  });

  it("knows the tokens, and what each may do", async () => {
    const reader = createClient({ url: edge.url, token: recorded.reader_token });
    expect((await reader.signals({ limit: 1 })).signals).toHaveLength(1);
    await expect(reader.emit({ signal: "Q_NO", source: "test", facts: {} })).rejects.toThrow(ApiProblem);
  });

  it.skipIf(!withinWeek)("has what became of tasks that were dropped as files", async () => {
    expect(await client.fileTasks("review", "good")).toMatchObject([{ status: "complete" }]);
    expect(await client.fileTasks("broken", "bad")).toMatchObject([{ status: "failed" }]);
  });
});

describe("an agent on the state of an earlier commit", () => {
  it("sends what waited in its spool, runs again what its end interrupted, and hands over its dead letter", async () => {
    writeFileSync(join(host, "go"), "");
    const agent = await runAgent(
      { url: edge.url, token: recorded.administrator_token },
      { host: recorded.host, stateDir: join(host, "state"), env: { GANGLION_CONFIG: join(host, "agent.yaml") } },
    );
    await agent.linked();
    const asked = async () => (await named("Q_CURIOSITY_INVESTIGATE")).map(({ facts }) => facts.question);
    await vi.waitFor(async () => expect(await asked()).toContain("Is the spool read?"), patience);
    const completed = async () => (await named("Q_REACTION_COMPLETE")).map(({ cause }) => cause).sort();
    await vi.waitFor(async () => expect(await completed()).toEqual(["quick", "slow"]), patience);
    const kinds = async () => (await client.deadLetters.list()).dead_letters.map(({ kind }) => kind);
    await vi.waitFor(async () => expect(await kinds()).toContain("intent"), patience);
    expect(readFileSync(join(host, "begun"), "utf8")).toBe("");
    expect(await agent.process.stop()).toBe(0);
  });
});

function post(path: string, body: unknown): Promise<Response> {
  return fetch(`${edge.url}/v1/default${path}`, {
    method: "POST",
    headers: { Authorization: `Bearer ${recorded.administrator_token}`, "Content-Type": "application/json" },
    body: JSON.stringify(body),
  });
}

/** Numbers of the log's signals, page by page. */
async function numbersUpTo(last: number): Promise<number[]> {
  const numbers: number[] = [];
  for (let after: number | null = 0; after !== null && after < last; ) {
    const page: Awaited<ReturnType<typeof client.signals>> = await client.signals({
      after,
      order: "asc",
      limit: 1_000,
    });
    numbers.push(...page.signals.map(({ seq }) => seq));
    after = page.next;
  }
  return numbers.filter((number) => number <= last);
}
