import { runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { NO_USAGE } from "../../../src/core/billing/usage.ts";
import { METRICS_TYPES } from "../../../src/core/metrics/format.ts";
import type { Sample, StateReport } from "../../../src/core/metrics/report.ts";
import { MetricsTargets } from "../../../src/core/metrics/targets.ts";
import { KeptReports } from "../../../src/durable-objects/access/kept-reports.ts";
import { directory } from "../../../src/workers/bindings/objects.ts";
import { call, freshEcosystem, post } from "../api/calls.ts";
import { crash } from "../crash.ts";
import { evict } from "../evict.ts";
import { aSignal, deadLettersOf, logOf, policyOf } from "../log-under-test.ts";
import { aTask, queueOver, queueStub } from "../queue/queue-under-test.ts";
import { webhooksOf } from "../webhooks/webhooks-under-test.ts";
import { fallen, readSamples, type Samples } from "./exposed.ts";

vi.setConfig({ testTimeout: 60_000 });
const patient = { timeout: 45_000, interval: 200 };

const variables = env as { METRICS?: string };
beforeAll(() => {
  variables.METRICS = "on";
});
afterAll(() => {
  variables.METRICS = "off";
});

let pastMs = 0;

/** What the directory knows, and not what the Worker answered less than ten seconds ago. */
async function metricsAt(path: string): Promise<Samples> {
  pastMs += 11_000;
  vi.setSystemTime(Date.now() + pastMs);
  try {
    const answer = await call(path);
    expect(answer.status).toBe(200);
    return readSamples(await answer.text());
  } finally {
    vi.useRealTimers();
  }
}
const metricsOf = (eco: string) => metricsAt(`/v1/${eco}/metrics`);

const shows = (eco: string, samples: Record<string, unknown>) =>
  expect.poll(async () => Object.fromEntries(await metricsOf(eco)), patient).toMatchObject(samples);

const report = (samples: readonly Sample[], more: Partial<StateReport> = {}) =>
  JSON.stringify({ object: "PriorityQueue", usage: NO_USAGE, database_bytes: 1, samples, folded: 0, ...more });

/** A rule that fires once, and then decides on each signal A that it does not. */
const quietRule = { when: "A", cooldown: "1h", then: [{ emit: { signal: "B" } }] };

describe("the metrics of an ecosystem", () => {
  it("are those of its log, queues, rules and dead letters as these reported them, and a scrape wakes none of them", async () => {
    const eco = freshEcosystem();
    const { put } = queueOver(eco);
    await logOf(eco).append({ signals: [aSignal("A", {}), aSignal("B", {})] });
    await put(aTask());
    await deadLettersOf(eco).record([{ id: "d1", kind: "signal", signal: {}, error: "e", daemon: "test" }]);
    const known = {
      // Those that are appended here, and the one by which the rules told of their change.
      ganglion_signals_total: 3,
      ganglion_log_signals: 3,
      'ganglion_tasks{queue="work",state="ready"}': 1,
      'ganglion_task_oldest_seconds{queue="work"}': expect.any(Number),
      'ganglion_task_wait_seconds_count{queue="work"}': 0,
      ganglion_dead_letters: 1,
      ganglion_dead_letters_recorded_total: 1,
      'ganglion_rules{state="quarantined"}': 0,
      'ganglion_projection_lag_signals{projection="policy"}': 0,
      'ganglion_state_age_seconds{object="PriorityQueue",queue="work"}': expect.any(Number),
      'ganglion_build_info{version="0.1.0"}': 1,
    };
    await post(`/v1/${eco}/policies/quiet`, quietRule, { method: "PUT" });
    await shows(eco, known);
    const objects = [logOf(eco), policyOf(eco), deadLettersOf(eco), queueStub(eco)];
    for (const object of objects) await evict(object);
    expect(Object.fromEntries(await metricsOf(eco))).toMatchObject(known);
    // Each has taken one call since it woke: this one.
    for (const object of objects) expect((await object.usage()).requests).toBe(1);
  });

  it("come in the format that is asked for, with its exact type, and to HEAD without them", async () => {
    const eco = freshEcosystem();
    const asked: [string, string][] = [
      ["*/*", METRICS_TYPES.text],
      ["application/openmetrics-text; version=1.0.0", METRICS_TYPES.openmetrics],
    ];
    for (const [accept, type] of asked) {
      const answer = await call(`/v1/${eco}/metrics`, { headers: { Accept: accept } });
      expect([answer.status, answer.headers.get("content-type")]).toEqual([200, type]);
      expect((await answer.text()).endsWith("# EOF\n")).toBe(type === METRICS_TYPES.openmetrics);
      const head = await call(`/v1/${eco}/metrics`, { method: "HEAD", headers: { Accept: accept } });
      expect([head.status, head.headers.get("content-type"), await head.text()]).toEqual([200, type, ""]);
    }
  });

  it("that were asked for less than ten seconds ago cost the directory no call", async () => {
    const eco = freshEcosystem();
    await (await call(`/v1/${eco}/metrics`)).text();
    const requests = async () => (await directory(env).usage()).requests;
    const before = await requests();
    for (let n = 0; n < 5; n++) await (await call(`/v1/${eco}/metrics`)).text();
    expect(await requests()).toBe(before + 1);
  });

  it("have counters that never fall when objects are killed or put out of memory", async () => {
    const eco = freshEcosystem();
    const { put, lease, act } = queueOver(eco);
    const hooks = webhooksOf(eco);
    await hooks.add("alerts", "200");
    await post(`/v1/${eco}/policies/quiet`, quietRule, { method: "PUT" });
    const work = async (n: number) => {
      await logOf(eco).append({ signals: [aSignal("A", { n })] });
      await put(aTask({ task_id: `t${n}` }));
      const [task] = await lease("coder");
      await act(`t${n}`, "complete", { lease_id: task?.lease_id });
      // Statistics are written at the queue's alarm.
      await runDurableObjectAlarm(queueStub(eco));
      await hooks.stub().deliver([{ id: `w${n}`, endpoint: "alerts", body: "{}" }]);
      await deadLettersOf(eco).record([{ id: `d${n}`, kind: "signal", signal: {}, error: "e", daemon: "test" }]);
    };
    const done = (count: number) => ({
      'ganglion_tasks_finished_total{queue="work",outcome="complete"}': count,
      'ganglion_task_run_seconds_count{queue="work"}': count,
      ...(count === 1 ? {} : { 'ganglion_decisions_total{rule="quiet",outcome="suppressed"}': count - 1 }),
      'ganglion_webhook_deliveries_total{outcome="delivered"}': count,
      ganglion_dead_letters_recorded_total: count,
    });
    const objects = [logOf(eco), policyOf(eco), queueStub(eco), deadLettersOf(eco), hooks.stub()];
    let before: Samples = new Map();
    const noneFell = async () => {
      const now = await metricsOf(eco);
      expect(fallen(before, now)).toEqual([]);
      before = now;
    };
    await work(1);
    await shows(eco, done(1));
    await noneFell();
    for (const object of objects) await evict(object);
    await deadLettersOf(eco).discard("d1");
    await work(2);
    await shows(eco, done(2));
    await noneFell();
    for (const object of objects) await crash(object);
    await crash(directory(env));
    await noneFell();
    await work(3);
    await shows(eco, done(3));
    await noneFell();
    expect(before.size).toBeGreaterThan(60);
  });
});

describe("what is counted for metrics", () => {
  it("costs no row: a decision is still the row of the decision and that of the place in the log", async () => {
    const eco = freshEcosystem();
    await post(`/v1/${eco}/policies/quiet`, quietRule, { method: "PUT" });
    const decide = async (n: number) => {
      const before = await policyOf(eco).usage();
      await logOf(eco).append({ signals: [aSignal("A", { n })] });
      await policyOf(eco).catchUp((await logOf(eco).reached()).head_seq);
      return (await policyOf(eco).usage()).rows_written - before.rows_written;
    };
    let n = 0;
    // The first fires, and its signal is on its way for a while.
    await expect.poll(() => decide(++n), patient).toBe(2);
    expect(await decide(++n)).toBe(2);
  });
});

describe("the metrics of a deployment that has turned them off", () => {
  it("have nothing of its objects, of which none waits to report", async () => {
    variables.METRICS = "off";
    const eco = freshEcosystem();
    try {
      await logOf(eco).append({ signals: [aSignal("A", {})] });
      // A report that waited would be sent now.
      await evict(logOf(eco));
    } finally {
      variables.METRICS = "on";
    }
    expect((await metricsOf(eco)).has("ganglion_signals_total")).toBe(false);
  });
});

describe("the states that the directory keeps", () => {
  it("are those of ecosystems that somebody has scraped in the last half hour", async () => {
    await runInDurableObject(directory(env), (_, { storage }) => {
      const reports = new KeptReports(storage.sql, false);
      const [eco, other] = [freshEcosystem(), freshEcosystem()];
      const log = (ecosystem: string) => ({ ecosystem, object: "SignalLog", body: report([]) });
      const kept = (atMs: number) => [eco, other].map((each) => reports.keep(log(each), () => true, atMs));
      expect(kept(0)).toEqual([false, false]);
      reports.page(eco, null, 1_000);
      expect(kept(2_000)).toEqual([true, false]);
      expect(kept(1_802_000)).toEqual([false, false]);
      reports.page("*", null, 2_000_000);
      expect(kept(2_001_000)).toEqual([true, true]);
      expect(reports.page(eco, null, 2_001_000).reports.map(({ atMs }) => atMs)).toEqual([2_001_000]);
    });
  });

  it("give fifty queues their names, and the others one, which keeps the counters of those that are deleted", async () => {
    const eco = freshEcosystem();
    const shared = directory(env);
    const finished = (count: number) => report([["ganglion_tasks_finished", ["", "complete"], count]]);
    for (let n = 0; n < 53; n++) {
      await shared.addQueue(eco, `q${n}`, 0);
      await shared.reportState({ ecosystem: eco, object: `PriorityQueue/q${n}`, body: finished(1) });
    }
    const sumOf = async (queue: string) =>
      (await metricsOf(eco)).get(`ganglion_tasks_finished_total{queue="${queue}",outcome="complete"}`);
    expect([await sumOf("q0"), await sumOf("q49"), await sumOf("q50"), await sumOf("other")]).toEqual([
      1,
      1,
      undefined,
      3,
    ]);
    expect((await metricsOf(eco)).get("ganglion_series_dropped_total")).toBe(3);
    for (const queue of ["q0", "q50"]) await shared.removeQueue(eco, queue);
    expect([await sumOf("q0"), await sumOf("other")]).toEqual([undefined, 4]);
    // A late report of a queue that is gone would be counted twice.
    await shared.reportState({ ecosystem: eco, object: "PriorityQueue/q0", body: finished(1) });
    expect([await sumOf("q0"), await sumOf("other")]).toEqual([undefined, 4]);
    await shared.forgetEcosystem(eco);
    expect(await sumOf("other")).toBe(undefined);
  });
});

describe("the metrics of the deployment", () => {
  it("are the sums over all ecosystems, and each ecosystem is a target", async () => {
    const ecosystems = [freshEcosystem(), freshEcosystem()];
    for (const eco of ecosystems) await post(`/v1/${eco}/signals`, { signal: "A", source: "s", facts: {} });
    await expect
      .poll(async () => Object.fromEntries(await metricsAt("/metrics")), patient)
      .toMatchObject({ ganglion_signals_total: 2, ganglion_ecosystems: expect.any(Number), ganglion_tokens: 0 });
    const answer = await call("/metrics/targets");
    expect(answer.headers.get("content-type")).toBe("application/json");
    const targets = MetricsTargets.parse(await answer.json());
    expect(targets.map(({ labels }) => labels.ecosystem)).toEqual(expect.arrayContaining(ecosystems));
    for (const { targets: addresses, labels } of targets) {
      expect([addresses, labels.__scheme__]).toEqual([["edge.test"], "https"]);
      expect(labels.ecosystem).toMatch(/^eco-/);
      expect((await call(labels.__metrics_path__)).status).toBe(200);
    }
  });
});
