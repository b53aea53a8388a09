import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { describe, expect, it, vi } from "vitest";
import fc from "../../fast-check.ts";
import { call, post, problemOf } from "../api/calls.ts";
import { crash } from "../crash.ts";
import { allOf, aSignal, logOf, observationsOf, policyOf } from "../log-under-test.ts";
import { putRule } from "../policy/policies-under-test.ts";
import { aTask, openChannel, queueOver } from "../queue/queue-under-test.ts";
import { aDelivery, webhooksOf } from "../webhooks/webhooks-under-test.ts";
import { deadLettersUnderTest, refusedSignal } from "./dead-letters-under-test.ts";

const patience = { timeout: 45_000 };

describe("replay of a signal that the log refused", () => {
  it("appends the signal once, under the id that it would have had", async () => {
    const deadLetters = deadLettersUnderTest();
    await deadLetters.record(refusedSignal("h.1.local.7"), refusedSignal("h.1.local.8"));
    expect(await (await deadLetters.replay("h.1.local.8")).json()).toEqual({ id: "h.1.local.8", outcome: "replayed" });
    expect(await (await deadLetters.replay("h.1.local.7")).json()).toEqual({ id: "h.1.local.7", outcome: "replayed" });
    expect(await (await deadLetters.replay("h.1.local.7")).json()).toEqual({ id: "h.1.local.7", outcome: "already" });
    // The link got no confirmation and hands the dead letter over again: it is not opened again.
    await deadLetters.record(refusedSignal("h.1.local.7"));
    expect(await deadLetters.list()).toEqual([]);
    expect((await allOf(deadLetters.ecosystem)).map(({ id }) => id)).toEqual(["h.1.local.8", "h.1.local.7"]);
    expect(await deadLetters.show("h.1.local.7")).toMatchObject({
      replay_outcome: "replayed",
      replayed_at: expect.any(String),
    });
  });

  it("keeps a signal that is still invalid, with one more attempt, until it is replaced", async () => {
    const deadLetters = deadLettersUnderTest();
    await deadLetters.record(refusedSignal("h.1.local.7", { signal: "no name", source: "h", facts: {} }));
    const refused = await problemOf(await deadLetters.replay("h.1.local.7"));
    expect(refused).toMatchObject({ status: 422, errors: [{ pointer: "/signal/signal" }] });
    expect(await deadLetters.list()).toMatchObject([
      { attempts: 2, replay_outcome: expect.stringContaining("/signal/signal") },
    ]);
    const replacement = { signal: { signal: "Q_MENDED", source: "h", facts: {} } };
    expect((await deadLetters.replay("h.1.local.7", replacement)).status).toBe(200);
    expect(await allOf(deadLetters.ecosystem)).toMatchObject([{ id: "h.1.local.7", signal: "Q_MENDED" }]);
  });
});

describe("replay of a signal that a projection could not process", () => {
  it("keeps a signal that still fails, and refuses to replace it", async () => {
    const deadLetters = deadLettersUnderTest();
    await logOf(deadLetters.ecosystem).append({ signals: [aSignal("OBSERVATION", { nobody: true })] });
    await observationsOf(deadLetters.ecosystem).catchUp(1);
    await vi.waitFor(async () => expect(await deadLetters.list()).toHaveLength(1), patience);
    expect(await problemOf(await deadLetters.replay("observations.1"))).toMatchObject({
      status: 409,
      type: "/problems/replay-failed",
      detail: expect.stringContaining("facts.zooid"),
    });
    expect((await problemOf(await deadLetters.replay("observations.1", { signal: {} }))).status).toBe(422);
    expect(await deadLetters.list()).toMatchObject([{ attempts: 3 }]);
  });

  it("evaluates only the rule that failed", async () => {
    const deadLetters = deadLettersUnderTest();
    // Appended without the check of the API, which would refuse it: the rule cannot read the missing field.
    await logOf(deadLetters.ecosystem).append({ signals: [aSignal("Q_PROMOTIONS_DETECTED", {})] });
    await policyOf(deadLetters.ecosystem).catchUp(1);
    await vi.waitFor(async () => expect(await deadLetters.list()).toHaveLength(1), patience);
    const [{ id = "" } = {}] = await deadLetters.list();
    expect(id).toBe("policy.1.promotions-to-dream");
    const failed = await problemOf(await deadLetters.replay(id));
    expect(failed).toMatchObject({ status: 409, type: "/problems/replay-failed" });
    expect(await policyOf(deadLetters.ecosystem).reprocess(1, "no-such-rule")).toMatchObject({ outcome: "failed" });
    // Rules that decided before are not evaluated again: nothing new is in the log.
    expect(await allOf(deadLetters.ecosystem)).toHaveLength(1);
  });

  it("has one effect, however often it is repeated", async () => {
    const eco = deadLettersUnderTest().ecosystem;
    const facts = { promotion_count: 2 };
    await logOf(eco).append({ signals: [aSignal("Q_PROMOTIONS_DETECTED", facts)] });
    const policy = policyOf(eco);
    expect(await policy.reprocess(1, "promotions-to-dream")).toEqual({ outcome: "taken" });
    await evictDurableObject(policy);
    expect(await policy.reprocess(1, "promotions-to-dream")).toEqual({ outcome: "known" });
    const names = async () => (await allOf(eco)).map(({ signal }) => signal);
    await vi.waitFor(async () => expect(await names()).toEqual(["Q_PROMOTIONS_DETECTED", "Q_DREAM_TRIGGER"]), patience);
  });

  it("evaluates the corrected rule, whose state then survives a rebuild", async () => {
    const deadLetters = deadLettersUnderTest();
    const eco = deadLetters.ecosystem;
    const policy = policyOf(eco);
    const rule = (where: string, more: object = {}) => ({
      when: "Q_DISK_SEEN",
      where,
      while_in_flight: { until: "Q_DISK_CLEAN", at_most: "1h" },
      then: [{ emit: { signal: "Q_CLEAN_UP", facts: { n: "facts.?n.orValue(0)" } } }],
      ...more,
    });
    await putRule(eco, "clean", rule("facts.percent > 90"));
    await logOf(eco).append({ signals: [aSignal("Q_DISK_SEEN", { n: 1 }, { id: "one" })] });
    await policy.catchUp((await allOf(eco)).length);
    await vi.waitFor(async () => expect(await deadLetters.list()).toHaveLength(1), patience);
    const [{ id = "" } = {}] = await deadLetters.list();
    expect((await problemOf(await deadLetters.replay(id))).status).toBe(409);
    await putRule(eco, "clean", rule("facts.?percent.orValue(100) > 90"));
    // After a rebuild a signal emitted before it must not suppress this one.
    await policy.rebuild();
    expect(await (await deadLetters.replay(id)).json()).toEqual({ id, outcome: "replayed" });
    expect(await (await deadLetters.replay(id)).json()).toEqual({ id, outcome: "already" });
    const cleanUps = async () => (await allOf(eco)).filter(({ signal }) => signal === "Q_CLEAN_UP");
    await vi.waitFor(async () => expect(await cleanUps()).toMatchObject([{ cause: "one" }]), patience);

    const kept = () =>
      runInDurableObject(policy, (_, state) =>
        JSON.stringify([...state.storage.sql.exec("SELECT * FROM rule_state ORDER BY kind, rule, key")]),
      );
    // The rule changes later at the same position of the log: the order of the two survives as well.
    await putRule(eco, "clean", rule("facts.?percent.orValue(100) > 80"));
    await logOf(eco).append({ signals: [aSignal("Q_DISK_SEEN", { n: 2 }, { id: "two" })] });
    await policy.catchUp((await allOf(eco)).length);
    const before = await kept();
    expect(before).toContain("flight");
    await policy.rebuild();
    expect(await kept()).toBe(before);
    await evictDurableObject(policy);
    await policy.rebuild();
    expect(await kept()).toBe(before);
    await logOf(eco).append({ signals: [aSignal("Q_DISK_SEEN", { n: 3 }, { id: "three" })] });
    await policy.catchUp((await allOf(eco)).length);
    expect(await cleanUps()).toHaveLength(1);
    const { decisions } = await policy.decisions({ limit: 10, rule: "clean" });
    expect(decisions.map(({ signal, outcome }) => [signal.id, outcome])).toEqual([
      ["three", "suppressed"],
      ["two", "suppressed"],
      ["one", "fired"],
      ["one", "failed"],
    ]);
  });

  it("says why a time-out that the loop guard ended cannot be replayed", async () => {
    const deadLetters = deadLettersUnderTest();
    const eco = deadLetters.ecosystem;
    const policy = policyOf(eco);
    await putRule(eco, "wait", {
      when: "Q_ASKED",
      expect: { signal: "Q_ANSWERED", within: "1s", else: [{ emit: { signal: "Q_NO_ANSWER", facts: {} } }] },
    });
    const deep = { id: "deep", cause: "gone", depth: 16 };
    await logOf(eco).append({ signals: [aSignal("Q_ASKED", {}, deep)] });
    await policy.catchUp((await allOf(eco)).length);
    await vi.waitFor(async () => expect(await deadLetters.list()).toHaveLength(1), patience);
    const [deadLetter] = await deadLetters.list();
    expect(deadLetter).toMatchObject({
      id: expect.stringMatching(/^policy\.\d+\.wait(\.late)?$/),
      signal: { id: "deep" },
    });
    expect(await problemOf(await deadLetters.replay(deadLetter?.id ?? ""))).toMatchObject({
      status: 409,
      detail: expect.stringMatching(/chain of causes/),
    });
  });

  it("says that the rule is gone where the log holds the signal", async () => {
    const deadLetters = deadLettersUnderTest();
    const eco = deadLetters.ecosystem;
    await putRule(eco, "brief", { when: "X_A", where: "facts.nothing > 0", then: [{ emit: { signal: "X_B" } }] });
    await logOf(eco).append({ signals: [aSignal("X_A", {})] });
    await vi.waitFor(async () => expect(await deadLetters.list()).toHaveLength(1), patience);
    const [deadLetter] = await deadLetters.list();
    await call(`/v1/${eco}/policies/brief`, { method: "DELETE" });
    expect(await problemOf(await deadLetters.replay(deadLetter?.id ?? ""))).toMatchObject({
      status: 409,
      detail: expect.stringContaining("no enabled rule brief"),
    });
  });

  it("is refused when the log no longer holds the signal", async () => {
    const deadLetters = deadLettersUnderTest();
    await deadLetters.record({ ...refusedSignal("policy.99.rule"), daemon: "ganglion/policy" });
    expect(await problemOf(await deadLetters.replay("policy.99.rule"))).toMatchObject({
      status: 409,
      detail: expect.stringContaining("does not hold the signal 99"),
    });
  });
});

describe("replay of a task that failed for good", () => {
  it("starts the task again under its id, and does nothing while it is unfinished", async () => {
    const deadLetters = deadLettersUnderTest();
    const queue = queueOver(deadLetters.ecosystem);
    await queue.put([aTask({ task_id: "t1", max_attempts: 1 })]);
    const [leased] = await queue.lease("coder");
    await queue.act("t1", "fail", { lease_id: leased?.lease_id, error: "no disk" });
    await vi.waitFor(async () => expect(await deadLetters.list()).toHaveLength(1), patience);
    const [deadLetter] = await deadLetters.list();
    const id = deadLetter?.id ?? "";
    expect(await (await deadLetters.replay(id)).json()).toEqual({ id, outcome: "replayed" });
    expect(await queue.task("t1")).toMatchObject({ status: "queued", attempt: 0 });
    // As if the record of its replay had been lost.
    await deadLetters.record({
      id,
      kind: "task",
      task: deadLetter?.task,
      error: "no disk",
      daemon: "ganglion/queue/work",
    });
    expect(await (await deadLetters.replay(id)).json()).toEqual({ id, outcome: "already" });
    expect((await queue.lease("coder", { max: 5 })).map(({ task_id }) => task_id)).toEqual(["t1"]);
  });

  it("enqueues a task that its queue has forgotten, with its former fields", async () => {
    const deadLetters = deadLettersUnderTest();
    const task = {
      task_id: "old",
      recipient: "coder",
      type: "BUILD",
      sender: "planner",
      priority: 2,
      max_attempts: 3,
      created_at: "2026-01-01T00:00:00.000Z",
      timeout_ms: null,
      deadline_at: null,
      payload: { n: 7 },
    };
    await deadLetters.record({ id: "x/work.old.1", kind: "task", task, error: "e", daemon: "ganglion/queue/work" });
    expect((await deadLetters.replay("x/work.old.1")).status).toBe(200);
    expect(await queueOver(deadLetters.ecosystem).lease("coder")).toMatchObject([
      { task_id: "old", type: "BUILD", payload: { n: 7 }, priority: 2, sender: "planner" },
    ]);
  });
});

describe("replay of a webhook delivery that was given up", () => {
  it("delivers the message under its id once the endpoint accepts it", async () => {
    const deadLetters = deadLettersUnderTest();
    const hooks = webhooksOf(deadLetters.ecosystem);
    await hooks.add("alerts", "410,200");
    await hooks.stub().deliver([aDelivery("d1", "alerts", { depth: 7 })]);
    await vi.waitFor(async () => expect(await deadLetters.list()).toHaveLength(1), patience);
    expect(await problemOf(await deadLetters.replay("webhook.d1"))).toMatchObject({
      status: 409,
      detail: expect.stringContaining("switched off"),
    });
    await hooks.change("alerts", { enabled: true });
    expect(await (await deadLetters.replay("webhook.d1")).json()).toEqual({ id: "webhook.d1", outcome: "replayed" });
    const messages = await hooks.received("alerts", 2);
    expect(messages.map(({ headers }) => headers["webhook-id"])).toEqual(["d1", "d1"]);
    expect(messages[1]?.body).toBe(messages[0]?.body);
    await vi.waitFor(
      async () => expect(await hooks.deliveries("alerts")).toMatchObject([{ state: "delivered" }]),
      patience,
    );
    expect(await deadLetters.list()).toEqual([]);
  });

  it("opens the dead letter again when the delivery fails again", async () => {
    const deadLetters = deadLettersUnderTest();
    const hooks = webhooksOf(deadLetters.ecosystem);
    await hooks.add("alerts", "410,410");
    await hooks.stub().deliver([aDelivery("d1", "alerts")]);
    await vi.waitFor(async () => expect(await deadLetters.list()).toHaveLength(1), patience);
    await hooks.change("alerts", { enabled: true });
    expect((await deadLetters.replay("webhook.d1")).status).toBe(200);
    await hooks.received("alerts", 2);
    await vi.waitFor(async () => expect(await deadLetters.list()).toMatchObject([{ attempts: 2 }]), patience);
  });
});

describe("replay of an item that a host keeps", () => {
  const intent = {
    id: "gpu-01.intent.bad.json",
    kind: "intent" as const,
    intent: { file: "bad.json", text: "{" },
    error: "not JSON",
    daemon: "agent/intents",
    host: "gpu-01",
  };

  it("asks the host, and keeps the dead letter when the host fails", async () => {
    const deadLetters = deadLettersUnderTest();
    await deadLetters.record(intent);
    expect(await problemOf(await deadLetters.replay(intent.id))).toMatchObject({
      status: 503,
      type: "/problems/no-responder",
    });
    const host = await openChannel(deadLetters.ecosystem, "gpu-01", "hosts");
    host.send({ type: "ready", recipient: "gpu-01", credit: 1, lease_ms: 30_000 });
    const failing = deadLetters.replay(intent.id);
    const first = (await host.next("tasks")).tasks?.[0];
    expect(first).toMatchObject({ type: "intent.replay", payload: { id: intent.id, intent: intent.intent } });
    host.send({
      type: "fail",
      batch: 1,
      tasks: [{ task_id: first?.task_id, lease_id: first?.lease_id, error: "still not JSON", retry: false }],
    });
    expect(await problemOf(await failing)).toMatchObject({ status: 502, detail: "still not JSON" });
    host.send({ type: "ready", recipient: "gpu-01", credit: 1, lease_ms: 30_000 });
    const working = deadLetters.replay(intent.id);
    const second = (await host.next("tasks")).tasks?.[0];
    host.send({
      type: "complete",
      batch: 2,
      tasks: [{ task_id: second?.task_id, lease_id: second?.lease_id, result: {} }],
    });
    expect((await working).status).toBe(200);
    expect(await deadLetters.list()).toEqual([]);
  });
});

describe("dead letters of an ecosystem", () => {
  it("are found by kind, component, host, time and text", async () => {
    const deadLetters = deadLettersUnderTest();
    await deadLetters.record(
      refusedSignal("a.1", { signal: "Q_ONE", source: "h", facts: {} }),
      refusedSignal("a.2", { signal: "Z_TWO", source: "h", facts: { word: "Needle" } }),
      { id: "t.1", kind: "task", task: {}, error: "no disk", daemon: "ganglion/queue/work" },
      { id: "i.1", kind: "intent", intent: {}, error: "bad", daemon: "agent/intents", host: "gpu-01" },
    );
    const found = async (query: string) => (await deadLetters.list(query)).map(({ id }) => id);
    expect(await found("")).toEqual(["i.1", "t.1", "a.2", "a.1"]);
    expect(await found("?kind=task")).toEqual(["t.1"]);
    expect(await found("?signal=Q_*")).toEqual(["a.1"]);
    expect(await found("?text=needle")).toEqual(["a.2"]);
    expect(await found("?daemon=link/*")).toEqual(["a.2", "a.1"]);
    expect(await found("?host=gpu-01")).toEqual(["i.1"]);
    expect(await found("?until=2020-01-01T00:00:00Z")).toEqual([]);
    expect(await found("?since=2020-01-01T00:00:00Z&kind=intent")).toEqual(["i.1"]);
    expect((await problemOf(await call(`${deadLetters.base}?kind=letter`))).status).toBe(422);
    const page = await deadLetters.page("?limit=2&kind=signal");
    expect(page.dead_letters.map(({ id }) => id)).toEqual(["a.2", "a.1"]);
    const first = await deadLetters.page("?limit=1");
    const rest = await deadLetters.page(`?limit=10&after=${first.next}`);
    expect([...first.dead_letters, ...rest.dead_letters].map(({ id }) => id)).toEqual(await found(""));
    expect(await (await call(`/v1/${deadLetters.ecosystem}/status`)).json()).toMatchObject({ dead_letters: 4 });
  });

  it("are listed by a filter before they are replayed or discarded", async () => {
    const deadLetters = deadLettersUnderTest();
    await deadLetters.record(
      ...[1, 2, 3].map((n) => refusedSignal(`a.${n}`)),
      refusedSignal("a.4", { signal: "still wrong" }),
      { id: "t.1", kind: "task", task: {}, error: "e", daemon: "ganglion/queue/work" },
    );
    const filter = { kind: "signal" };
    expect(await deadLetters.bulk("replay", { filter })).toMatchObject({
      dry_run: true,
      matched: 4,
      done: 0,
      dead_letters: [{ id: "a.1" }, {}, {}, {}],
    });
    expect(await deadLetters.list()).toHaveLength(5);
    const first = await deadLetters.bulk<{ next: string }>("replay", { filter, dry_run: false, limit: 2 });
    expect(first).toMatchObject({ matched: 2, done: 2, failed: [] });
    expect(await deadLetters.bulk("replay", { filter, dry_run: false, after: first.next })).toMatchObject({
      matched: 2,
      done: 1,
      failed: [{ id: "a.4", problem: { status: 422 } }],
      next: null,
    });
    expect((await allOf(deadLetters.ecosystem)).map(({ id }) => id)).toEqual(["a.1", "a.2", "a.3"]);
    expect(await deadLetters.bulk("discard", { filter: {} })).toMatchObject({ dry_run: true, matched: 2 });
    expect(await deadLetters.bulk("discard", { filter: { text: "still wrong" }, dry_run: false })).toMatchObject({
      done: 1,
    });
    expect((await deadLetters.discard("t.1")).status).toBe(204);
    expect((await problemOf(await deadLetters.discard("t.1"))).status).toBe(404);
    expect((await problemOf(await deadLetters.replay("t.1"))).status).toBe(404);
    expect(await deadLetters.list()).toEqual([]);
    for (const wrong of [{}, { filter: { kind: "x" } }, { filter: {}, limit: 0 }, { filter: { since: "soon" } }])
      expect((await problemOf(await post(`${deadLetters.base}/replay`, wrong))).status).toBe(422);
  });

  it("are changed by administrators only", async () => {
    const deadLetters = deadLettersUnderTest();
    await deadLetters.record(refusedSignal("a.1"));
    const wanted = { name: "n", scopes: ["signals:read", "signals:write"], ecosystems: ["*"] };
    const { token } = (await (await post("/v1/tokens", wanted)).json()) as { token: string };
    expect((await call(deadLetters.base, { token })).status).toBe(200);
    for (const [path, method] of [
      ["/a.1/replay", "POST"],
      ["/replay", "POST"],
      ["/discard", "POST"],
      ["/a.1", "DELETE"],
    ] as const)
      expect((await problemOf(await call(`${deadLetters.base}${path}`, { method, token }))).status).toBe(403);
  });

  it("each have one effect in any history of replays, late reports and crashes", async () => {
    const step = fc.record({
      do: fc.constantFrom("fail", "replay", "replay twice", "replay all", "crash", "crash while replaying"),
      deadLetter: fc.integer({ min: 1, max: 4 }),
    });
    let cut = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 12 }), async (steps) => {
        const deadLetters = deadLettersUnderTest();
        const failed = new Set<string>();
        // The caller gets no answer of a replay that was cut off.
        const replay = (id: string) =>
          deadLetters
            .stub()
            .replay(id)
            .catch(() => cut++);
        const replayAll = () => deadLetters.stub().replayAll({ filter: {}, limit: 100, dryRun: false });
        for (const one of steps) {
          const id = `h.1.local.${one.deadLetter}`;
          if (one.do === "fail") {
            failed.add(id);
            await deadLetters.record(refusedSignal(id));
          } else if (one.do === "replay") await replay(id);
          else if (one.do === "replay twice") await Promise.all([replay(id), replay(id)]);
          else if (one.do === "replay all") await replayAll();
          else if (one.do === "crash") await crash(deadLetters.stub());
          else await Promise.all([replay(id), crash(deadLetters.stub())]);
        }
        await replayAll();
        await runDurableObjectAlarm(deadLetters.stub());
        expect((await allOf(deadLetters.ecosystem)).map(({ id }) => id).sort()).toEqual([...failed].sort());
        expect([await deadLetters.list(), await deadLetters.stub().count()]).toEqual([[], 0]);
      }),
      { numRuns: 40 },
    );
    expect(cut).toBeGreaterThan(0);
  }, 120_000);
});
