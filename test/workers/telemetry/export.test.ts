import { runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, inject, it } from "vitest";
import { outcomeOf } from "../../../src/core/telemetry/receiver-answer.ts";
import { NewExport, settingsOf } from "../../../src/core/telemetry/settings.ts";
import { Telemetry } from "../../../src/durable-objects/telemetry/object.ts";
import { sendSpans } from "../../../src/durable-objects/telemetry/send-spans.ts";
import { policyState, priorityQueue } from "../../../src/workers/bindings/objects.ts";
import { attributesOf, type ReceivedSpan } from "../../harness/otlp-schema.ts";
import { call, freshEcosystem, post, problemOf } from "../api/calls.ts";
import { crash } from "../crash.ts";
import { aTask, queueOver } from "../queue/queue-under-test.ts";
import { exportOf } from "./export-under-test.ts";

const KEYS = { public_key: "pk-lf-public", secret_key: "sk-lf-secret" };
const AUTHORIZATION = `Basic ${btoa("pk-lf-public:sk-lf-secret")}`;

/** Puts tasks into a queue and completes, or fails, each of them. */
async function work(ecosystem: string, ids: readonly string[], queue = "work", more: object = {}): Promise<void> {
  const over = queueOver(ecosystem, queue);
  await over.put(ids.map((task_id) => aTask({ task_id, max_attempts: 1, ...more })));
  for (const { task_id, lease_id } of await over.lease("coder", { max: ids.length })) {
    if (task_id.startsWith("bad")) await over.act(task_id, "fail", { lease_id, error: "boom", retry: false });
    else await over.act(task_id, "complete", { lease_id, result: { done: task_id } });
  }
}
const named = (spans: readonly ReceivedSpan[], start: string) =>
  spans.filter(({ name }) => name.startsWith(start)).map(({ name }) => name);
const taskIds = (spans: readonly ReceivedSpan[]) =>
  spans
    .filter(({ name }) => name.startsWith("task "))
    .map((span) => attributesOf(span)["ganglion.task.id"])
    .sort();

describe("an export of finished work", () => {
  it("sends each finished and failed task once, with its wait and its run, also of a queue that begins later", async () => {
    const exported = exportOf();
    const { ecosystem } = exported;
    await work(ecosystem, ["before"], "old");
    await exported.to("200");
    await exported.flush();
    await work(ecosystem, ["a", "bad-b"], "old");
    await work(ecosystem, ["c"], "new");
    await exported.flush("old", "new");
    const box = await exported.received({ spans: 9 });
    expect(box.invalid).toEqual([]);
    expect(taskIds(box.spans)).toEqual(["a", "bad-b", "c"]);
    expect(named(box.spans, "receive ").sort()).toEqual(["receive new", "receive old", "receive old"]);
    const failed = box.spans.find((span) => attributesOf(span)["ganglion.task.id"] === "bad-b");
    expect(failed).toMatchObject({ status: { code: 2 } });
    await exported.flush("old", "new");
    const { health } = await exported.show();
    expect(health).toMatchObject({ exported: 9, waiting: 0, dropped: 0, rejected: 0 });
    expect((await exported.received({})).repeated).toBe(0);
  });

  it("joins the trace of a signal with the decision on it, the task that the rule enqueues, and the reaction to what it emits", async () => {
    const exported = exportOf();
    const { ecosystem } = exported;
    await exported.to("200");
    await post(
      `/v1/${ecosystem}/policies/ship`,
      {
        id: "ship",
        when: "Q_READY",
        then: [
          { enqueue: { queue: "work", recipient: '"coder"', type: "SHIP" } },
          { emit: { signal: "Q_SHIPPING", facts: {} } },
        ],
      },
      { method: "PUT" },
    );
    await exported.flush();
    const traceId = "0af7651916cd43dd8448eb211c80319c";
    await post(
      `/v1/${ecosystem}/signals`,
      { signal: "Q_READY", source: "test", facts: {} },
      { headers: { traceparent: `00-${traceId}-b7ad6b7169203331-01` } },
    );
    const over = queueOver(ecosystem);
    const [task] = await over.lease("coder", { wait_ms: 10_000 });
    await over.act(task?.task_id ?? "", "complete", { lease_id: task?.lease_id, result: 1 });
    await expect
      .poll(async () => {
        const { signals } = (await (await call(`/v1/${ecosystem}/signals?signal=Q_SHIPPING`)).json()) as {
          signals: { id: string; trace: string }[];
        };
        return signals.length;
      })
      .toBe(1);
    const { signals } = (await (await call(`/v1/${ecosystem}/signals?signal=Q_SHIPPING`)).json()) as {
      signals: { id: string; trace: string }[];
    };
    const [shipping] = signals;
    await post(`/v1/${ecosystem}/signals`, {
      signal: "Q_REACTION_COMPLETE",
      source: "reaction/ship/host-1",
      facts: { reaction: "ship", trigger_id: shipping?.id, duration_ms: 5, exit_code: 0 },
      cause: shipping?.id,
      trace: `00-${traceId}-00f067aa0ba902b7-01`,
    });
    await exported.flush("work");
    const { spans, invalid } = await exported.received({ spans: 6 });
    expect(invalid).toEqual([]);
    expect(new Set(spans.map((span) => span.traceId))).toEqual(new Set([traceId]));
    const by = (name: string) => spans.find((span) => span.name === name);
    expect(by("decide ship")?.parentSpanId).toBe("b7ad6b7169203331");
    expect(by("task SHIP")?.parentSpanId).toBe(by("decide ship")?.spanId);
    expect(by("receive work")?.parentSpanId).toBe(by("task SHIP")?.spanId);
    expect(by("invoke_agent coder")?.parentSpanId).toBe(by("task SHIP")?.spanId);
    expect(by("invoke_agent ship")?.parentSpanId).toBe(by("decide ship")?.spanId);
    expect(by("command ship")?.parentSpanId).toBe(by("invoke_agent ship")?.spanId);
  });

  it("sends again what a receiver has not taken: when it asks to wait, ends the connection, or takes it and says nothing", async () => {
    const exported = exportOf();
    const { ecosystem } = exported;
    await exported.to("429+0,die,lost,200");
    await exported.flush();
    await work(ecosystem, ["a"]);
    await exported.flush("work");
    for (let requests = 1; requests < 4; requests++) {
      await exported.received({ requests });
      await expect.poll(async () => (await exported.show()).health?.failing_since).toBeDefined();
      await dueNow(exported.stub());
      await exported.flush();
    }
    const box = await exported.received({ requests: 4 });
    expect(box.requests.map(({ answered }) => answered)).toEqual(["429+0", "die", "lost", "200"]);
    expect([taskIds(box.spans), box.spans.length, box.repeated]).toEqual([["a"], 3, 3]);
    await expect.poll(async () => (await exported.show()).health?.failing_since).toBeUndefined();
  });

  it("halves a request that is too large for a receiver", async () => {
    const exported = exportOf();
    await exported.to("413,200");
    await exported.flush();
    await work(exported.ecosystem, ["a"]);
    await exported.flush("work");
    const { requests, repeated } = await exported.received({ spans: 3 });
    expect([requests.map(({ spans }) => spans), repeated]).toEqual([[3, 2, 1], 0]);
  });

  it("ends the wait for a receiver that gives no answer", async () => {
    const settings = settingsOf(NewExport.parse({ endpoint: `${inject("otlp")}/stalled/hang` }), undefined);
    const answer = await sendSpans(settings, ["{}"], "eco", (url, init) => fetch(url, init), 100);
    expect(answer).toEqual({ error: "no answer within 0.1 s" });
    expect(outcomeOf(answer, 0)).toMatchObject({ kind: "later", certain: true });
  });

  it("gives up the oldest of too much that waits, at a queue and at the export, and counts it", async () => {
    const exported = exportOf();
    const { ecosystem } = exported;
    await exported.to("401");
    await exported.flush();
    await work(ecosystem, ["a"]);
    await exported.flush("work");
    await fill(exported.stub(), "INSERT INTO batches (spans, bytes, body) VALUES (99999, 2, '{}')");
    await fill(priorityQueue(env, ecosystem, "work"), "INSERT INTO exported (items, body) VALUES (20000, 'x')");
    await work(ecosystem, ["b"]);
    await exported.flush("work");
    // The three spans of the first task went before the many that followed them.
    await expect
      .poll(async () => (await exported.show()).health)
      .toMatchObject({ dropped: 3 + 99_999 + 20_000, waiting: 3 });
  });

  it("counts what a receiver rejects, and gives up what it would refuse again", async () => {
    const exported = exportOf();
    const { ecosystem } = exported;
    await exported.to("partial,400,200");
    await exported.flush();
    await work(ecosystem, ["a"]);
    await exported.flush("work");
    await expect.poll(async () => (await exported.show()).health?.rejected).toBe(1);
    await work(ecosystem, ["b"]);
    await exported.flush("work");
    await expect.poll(async () => (await exported.show()).health?.dropped).toBe(3);
    const { health } = await exported.show();
    expect(health).toMatchObject({ exported: 2, rejected: 1, waiting: 0, last_error: expect.stringContaining("400") });
  });

  it("keeps what waits, and sends it once, when queue and export are killed in between", async () => {
    const exported = exportOf();
    const { ecosystem } = exported;
    await exported.to("503+0,200");
    await exported.flush();
    await work(ecosystem, ["a", "b"]);
    await crash(priorityQueue(env, ecosystem, "work"));
    await exported.flush("work");
    await expect.poll(async () => (await exported.show()).health?.failing_since).toBeDefined();
    await crash(exported.stub());
    await dueNow(exported.stub());
    await exported.flush("work");
    const box = await exported.received({ spans: 6 });
    expect([taskIds(box.spans), box.repeated]).toEqual([["a", "b"], 0]);
  });

  it("sends no payload by default, and to Langfuse everything that is asked for under its names", async () => {
    const exported = exportOf();
    const { ecosystem } = exported;
    await exported.to("200", { preset: "langfuse", ...KEYS });
    await exported.flush();
    await work(ecosystem, ["a"], "work", { payload: { question: "HUSH" } });
    await exported.flush("work");
    await exported.received({ spans: 3 });
    await exported.to("200", { preset: "langfuse", payload: "all" });
    await exported.flush();
    await work(ecosystem, ["b"], "work", { payload: { question: "HUSH" } });
    await exported.flush("work");
    const { requests, spans } = await exported.received({ spans: 6 });
    expect(requests.at(-1)?.path).toBe(`/${ecosystem}/200/api/public/otel/v1/traces`);
    expect(requests.at(-1)?.headers).toMatchObject({
      authorization: AUTHORIZATION,
      "x-langfuse-ingestion-version": "4",
    });
    const [quiet, loud] = ["task_a", "task_b"].map((name) => spans.find((span) => span.name === name));
    expect(JSON.stringify(quiet)).not.toContain("HUSH");
    expect(loud && attributesOf(loud)).toMatchObject({
      "langfuse.observation.input": '{"question":"HUSH"}',
      "langfuse.observation.output": '{"done":"b"}',
      "langfuse.trace.tags": ["agent:coder", "type:TASK_DELEGATE", "queue:work"],
    });
  });

  it("leaves no table, no mark and no calls behind when it is switched off", async () => {
    const exported = exportOf();
    const { ecosystem } = exported;
    await exported.to("200");
    await exported.flush();
    await work(ecosystem, ["a"]);
    expect((await call(exported.path, { method: "DELETE" })).status).toBe(204);
    const queue = priorityQueue(env, ecosystem, "work");
    await runDurableObjectAlarm(queue);
    const tables = await runInDurableObject(queue, (_, { storage }) =>
      storage.sql.exec("SELECT name FROM sqlite_master WHERE name = 'exported'").toArray(),
    );
    expect(tables).toEqual([]);
    expect(await exported.show()).toEqual({ enabled: false });
    expect((await problemOf(await post(`${exported.path}/test`, {}))).status).toBe(404);
    expect((await problemOf(await call(exported.path, { method: "DELETE" }))).status).toBe(404);
  });
});

describe("an export that was never set", () => {
  it("writes no row for a finished task", async () => {
    const ecosystem = freshEcosystem();
    await work(ecosystem, ["a"]);
    for (const stub of [priorityQueue(env, ecosystem, "work"), policyState(env, ecosystem)]) {
      const tables = await runInDurableObject(stub, (_, { storage }) =>
        storage.sql.exec("SELECT name FROM sqlite_master WHERE name = 'exported'").toArray(),
      );
      expect(tables).toEqual([]);
    }
  });
});

describe("the settings of an export", () => {
  it("are shown without headers, and without the path to others than administrators", async () => {
    const exported = exportOf();
    const text = JSON.stringify(await exported.to("200", { headers: { Authorization: "Bearer hush-hush" } }));
    expect(text).not.toContain("hush");
    expect(JSON.parse(text)).toMatchObject({ enabled: true, payload: "none", header_names: ["Authorization"] });
    const made = (await (
      await post("/v1/tokens", { name: "reader", scopes: ["signals:read"], ecosystems: [exported.ecosystem] })
    ).json()) as { token: string };
    const shown = (await (await call(exported.path, { token: made.token })).json()) as { endpoint: string };
    expect(shown.endpoint).toBe(`${inject("otlp")}/…`);
  });

  it("refuse addresses of a private network where the edge does not allow them, also such that were set before", async () => {
    const exported = exportOf();
    for (const endpoint of ["ftp://otel.example", "nonsense", "https://user:pass@otel.example"])
      expect((await problemOf(await exported.put({ endpoint }))).errors?.[0]?.pointer).toBe("/endpoint");
    await exported.to("200");
    const outcomes = await runInDurableObject(exported.stub(), async (_, state) => {
      const strict = new Telemetry(state, { ...env, WEBHOOKS_ALLOW_PRIVATE: "false" });
      return [await strict.set(NewExport.parse({ endpoint: "http://169.254.169.254/latest" })), await strict.probe()];
    });
    expect(outcomes).toMatchObject([
      { refused: expect.stringContaining("WEBHOOKS_ALLOW_PRIVATE") },
      { delivered: false, error: expect.stringContaining("not sent") },
    ]);
    expect((await exported.received({})).requests).toEqual([]);
  });

  it("name the field that is wrong, and quote no key", async () => {
    const exported = exportOf();
    const problem = await problemOf(
      await exported.put({ endpoint: "https://otel.example", headers: { "X-Key": "hush\nhush" }, payloads: "all" }),
    );
    expect(problem.errors?.map(({ pointer }) => pointer).sort()).toEqual(["/headers/X-Key", "/payloads"]);
    expect(JSON.stringify(problem)).not.toContain("hush");
  });
});

describe("a test of an export", () => {
  it("sends one marked span, and says what the receiver answered", async () => {
    const exported = exportOf();
    await exported.to("200");
    const outcome = await exported.test();
    expect(outcome).toMatchObject({ delivered: true, status: 200, answer: "{}" });
    const { spans } = await exported.received({ spans: 1 });
    expect(spans[0]).toMatchObject({ name: "ganglion export test", traceId: outcome.trace_id });
    expect(spans[0] && attributesOf(spans[0])).toMatchObject({ "ganglion.test": true });
  });

  it("says why the receiver refused, without the keys that it quotes", async () => {
    const exported = exportOf();
    await exported.to("401", { preset: "langfuse", ...KEYS });
    const outcome = await exported.test();
    expect(outcome).toMatchObject({ delivered: false, status: 401, error: "the receiver answered 401" });
    expect(outcome.answer).toContain("no, …");
    expect(JSON.stringify(outcome)).not.toContain(AUTHORIZATION.slice(6));
  });
});

describe("an export that fails", () => {
  it("is told by the status at once, and needs somebody after ten minutes", async () => {
    const exported = exportOf();
    const { ecosystem } = exported;
    await exported.to("401");
    await exported.flush();
    await work(ecosystem, ["a"]);
    await exported.flush("work");
    await expect
      .poll(async () => (await (await call(`/v1/${ecosystem}/status`)).json()) as object)
      .toMatchObject({
        export: { failing_since: expect.any(String), last_error: "the receiver answered 401", waiting: 3 },
      });
    const attention = async () =>
      ((await (await call(`/v1/${ecosystem}/attention`)).json()) as { items: { kind: string }[] }).items;
    expect(await attention()).toEqual([]);
    await runInDurableObject(exported.stub(), (_, { storage }) => {
      const tenMinutes = Date.now() - 600_001;
      storage.sql.exec(
        "UPDATE kept SET body = json_set(body, '$.failing_since_ms', ?) WHERE name = 'progress'",
        tenMinutes,
      );
    });
    await crash(exported.stub());
    expect(await attention()).toMatchObject([{ kind: "export_failing", next_step: "ganglion export test" }]);
  });
});

/** Puts a row into a store that stands for very many. */
async function fill(stub: DurableObjectStub, statement: string): Promise<void> {
  await runInDurableObject(stub, (_, { storage }) => storage.sql.exec(statement));
  await crash(stub);
}

/** What waits for a later attempt is due now. */
async function dueNow(stub: DurableObjectStub): Promise<void> {
  await runInDurableObject(stub, (_, { storage }) =>
    storage.sql.exec("UPDATE kept SET body = json_set(body, '$.retry_ms', 0) WHERE name = 'progress'"),
  );
  await crash(stub);
}
