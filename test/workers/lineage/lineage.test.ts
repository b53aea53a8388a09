import { runInDurableObject } from "cloudflare:test";
import { describe, expect, it } from "vitest";
import type { Lineage } from "../../../src/core/lineage/api.ts";
import { call, freshEcosystem, problemOf } from "../api/calls.ts";
import { deadLettersUnderTest } from "../dead-letters/dead-letters-under-test.ts";
import { evict } from "../evict.ts";
import { allOf, aSignal, deadLettersOf, follow, logOf, observationsOf, policyOf } from "../log-under-test.ts";
import { putRule } from "../policy/policies-under-test.ts";
import { aTask, queueOver } from "../queue/queue-under-test.ts";
import { webhooksOf } from "../webhooks/webhooks-under-test.ts";

const lineageOf = async (eco: string, id: string) =>
  (await (await call(`/v1/${eco}/signals/${id}/lineage`)).json()) as Lineage;
/** Counts the statements by which an object looks something up in a table from now on. It may do other work meanwhile. */
async function lookupsOf(object: DurableObjectStub<undefined>, table: string): Promise<() => Promise<number>> {
  let made = 0;
  await runInDurableObject(object, (_, { storage: { sql } }) => {
    const exec = sql.exec.bind(sql);
    sql.exec = (...args: Parameters<typeof exec>) => {
      if (new RegExp(`SELECT.*\\b${table}\\b`, "s").test(args[0])) made++;
      return exec(...args);
    };
  });
  return () => runInDurableObject(object, () => made);
}
const ids = (signals: readonly { id: string }[]) => signals.map(({ id }) => id);
const link = (id: string, cause?: string) => aSignal("Q_STEP_DONE", {}, { id, cause });

describe("the lineage of a signal", () => {
  it("names its causes from the first, and everything that it led to", async () => {
    const eco = freshEcosystem();
    await logOf(eco).append({ signals: [link("a"), link("unrelated")] });
    await logOf(eco).append({ signals: [link("b", "a"), link("other", "unrelated")] });
    await logOf(eco).append({ signals: [link("c", "b"), link("d", "c"), link("e", "b")] });
    const { signal, causes, effects, truncated } = await lineageOf(eco, "b");
    expect([signal.id, ids(causes), ids(effects), truncated]).toEqual(["b", ["a"], ["c", "d", "e"], false]);
    expect(ids((await lineageOf(eco, "e")).causes)).toEqual(["a", "b"]);
    expect(ids((await lineageOf(eco, "a")).effects)).toEqual(["b", "c", "d", "e"]);
  });

  it("finds effects many zones away, and after the log has lost its memory", async () => {
    const eco = freshEcosystem();
    const fill = async (from: number) => {
      for (let n = from; n < from + 300; n++)
        await logOf(eco).append({ signals: [aSignal("Q_A_B", {}, { id: `x${n}`, cause: `y${n}` })] });
    };
    await logOf(eco).append({ signals: [link("a")] });
    await fill(0);
    await logOf(eco).append({ signals: [link("b", "a")] });
    await evict(logOf(eco));
    await fill(300);
    await logOf(eco).append({ signals: [link("c", "b")] });
    await evict(logOf(eco));
    expect(ids((await lineageOf(eco, "a")).effects)).toEqual(["b", "c"]);
    expect(ids((await lineageOf(eco, "c")).causes)).toEqual(["a", "b"]);
    expect(await logOf(eco).find("x17")).not.toBeNull();
    expect(await logOf(eco).find("x9999")).toBeNull();
  });

  it("is not taken in by facts that look like a cause, nor by causes that go round", async () => {
    const eco = freshEcosystem();
    await logOf(eco).append({ signals: [link("a", "b"), link("b", "a")] });
    await logOf(eco).append({ signals: [aSignal("Q_A_B", { x: 1, cause: "a" }, { id: "liar" })] });
    await logOf(eco).append({ signals: [aSignal("Q_A_B", { x: 1, cause: "z" }, { id: "c", cause: "a" })] });
    const { causes, effects } = await lineageOf(eco, "a");
    expect([ids(causes), ids(effects)]).toEqual([["b"], ["b", "c"]]);
    expect(ids((await lineageOf(eco, "b")).causes)).toEqual(["a"]);
  });

  it("says which cause is not in the log", async () => {
    const eco = freshEcosystem();
    await logOf(eco).append({ signals: [link("b", "long-gone")] });
    expect(await lineageOf(eco, "b")).toMatchObject({ missing_cause: "long-gone", causes: [] });
    expect((await problemOf(await call(`/v1/${eco}/signals/long-gone/lineage`))).status).toBe(404);
  });

  it("is cut where it becomes too large, and says so", async () => {
    const eco = freshEcosystem();
    const many = Array.from({ length: 700 }, (_, n) => link(`e${n}`, "a"));
    await logOf(eco).append({ signals: [link("a"), ...many] });
    await logOf(eco).append({ signals: many.map(({ id }) => link(`${id}x`, "a")) });
    const { effects, truncated } = await lineageOf(eco, "a");
    expect([effects.length, truncated]).toEqual([1_000, true]);
  });

  it("asks the rules and the dead letters by a few statements, however many effects it has", async () => {
    const eco = freshEcosystem();
    const effects = Array.from({ length: 999 }, (_, n) => link(`e${n}`, "a"));
    await logOf(eco).append({ signals: [link("a"), ...effects] });
    const lookups = await Promise.all([lookupsOf(policyOf(eco), "decided"), lookupsOf(deadLettersOf(eco), "letters")]);
    expect((await lineageOf(eco, "a")).effects.length).toBe(999);
    for (const made of await Promise.all(lookups.map((made) => made()))) {
      expect(made).toBeGreaterThan(0);
      expect(made).toBeLessThan(20);
    }
  });

  it("holds the decisions on its signals and what of them went to dead letters", async () => {
    const eco = freshEcosystem();
    const triggers = await follow(eco, ["Q_DREAM_TRIGGER"]);
    await logOf(eco).append({ signals: [aSignal("Q_PROMOTIONS_DETECTED", { promotion_count: 2 }, { id: "found" })] });
    const trigger = await triggers.next();
    const { effects, decisions } = await lineageOf(eco, "found");
    expect(ids(effects)).toEqual([trigger.id]);
    expect(decisions).toMatchObject([{ rule: "promotions-to-dream", outcome: "fired", effects: [trigger.id] }]);

    await logOf(eco).append({ signals: [aSignal("OBSERVATION", { nobody: true }, { id: "poison" })] });
    await observationsOf(eco).catchUp((await allOf(eco)).length);
    await expect.poll(async () => (await deadLettersOf(eco).list({ limit: 5 })).dead_letters.length).toBe(1);
    const poisoned = await lineageOf(eco, "poison");
    expect(poisoned.dead_letters).toMatchObject([{ id: expect.stringMatching(/^observations\.\d+$/) }]);
    expect((await lineageOf(eco, "found")).dead_letters).toEqual([]);
  });
});

describe("the lineage behind what rules did", () => {
  it("goes on behind a task to what followed its end, and holds the task, the message and their dead letters", async () => {
    const eco = freshEcosystem();
    const queue = queueOver(eco, "jobs");
    await queue.configure({ signal_complete: true, signal_failed: true });
    await webhooksOf(eco).add("alerts", "410");
    const enqueue = { queue: "jobs", recipient: "'coder'", type: "fix", max_attempts: 1 };
    await putRule(eco, "act", { when: "Q_DISK_FULL", then: [{ enqueue }, { webhook: { endpoint: "alerts" } }] });
    await putRule(eco, "after", { when: "Q_TASK_FAILED", then: [{ emit: { signal: "Q_GIVEN_UP", facts: {} } }] });
    const follower = await follow(eco, ["Q_GIVEN_UP"]);
    await logOf(eco).append({ signals: [aSignal("Q_DISK_FULL", {}, { id: "full", depth: 2, cause: "gone" })] });
    const [leased] = await queue.lease("coder", { wait_ms: 15_000 });
    expect(leased).toMatchObject({ cause: "full", depth: 3 });
    await queue.act(leased?.task_id ?? "", "fail", { lease_id: leased?.lease_id, error: "no disk" });
    const last = await follower.next();
    expect(last).toMatchObject({ signal: "Q_GIVEN_UP", depth: 4 });

    await expect
      .poll(async () => (await lineageOf(eco, "full")).dead_letters.map(({ kind }) => kind).sort(), { timeout: 45_000 })
      .toEqual(["task", "webhook"]);
    const { effects, tasks, deliveries, dead_letters } = await lineageOf(eco, "full");
    expect(effects.map(({ signal }) => signal)).toEqual(["Q_TASK_FAILED", "Q_GIVEN_UP"]);
    expect(tasks).toMatchObject([
      { queue: "jobs", task_id: leased?.task_id, cause: "full", rule: "act", status: "failed", error: "no disk" },
    ]);
    expect(deliveries).toMatchObject([
      { endpoint: "alerts", cause: "full", rule: "act", state: "failed", attempts: 1 },
    ]);
    expect(dead_letters.find(({ kind }) => kind === "task")).toMatchObject({ task: { cause: "full" } });
    expect((await lineageOf(eco, last.id)).causes.map(({ signal }) => signal)).toEqual([
      "Q_DISK_FULL",
      "Q_TASK_FAILED",
    ]);
  });

  it("holds a task that somebody put there with a cause, and what a host gave up about the signal", async () => {
    const eco = freshEcosystem();
    const queue = queueOver(eco, "jobs");
    await logOf(eco).append({ signals: [link("asked")] });
    await queue.put(aTask({ task_id: "own", cause: "asked", max_attempts: 1 }));
    const [leased] = await queue.lease("coder");
    await queue.act("own", "fail", { lease_id: leased?.lease_id, error: "no" });
    await deadLettersUnderTest(eco).record({
      id: "gpu-01.reaction.fix.asked",
      kind: "reaction",
      host: "gpu-01",
      error: "exit 1",
      daemon: "reaction/fix/gpu-01",
      signal: { id: "asked", seq: 1 },
      reaction: { name: "fix", signal_id: "asked" },
    });
    await expect
      .poll(async () => (await lineageOf(eco, "asked")).dead_letters.map(({ id }) => id).sort(), { timeout: 45_000 })
      .toEqual([`${eco}/jobs.own.1`, "gpu-01.reaction.fix.asked"]);
    expect((await lineageOf(eco, "asked")).tasks).toMatchObject([
      { queue: "jobs", task_id: "own", cause: "asked", status: "failed" },
    ]);
  });
});

describe("GET /decisions", () => {
  it("is filtered by rule, outcome, signal and time", async () => {
    const eco = freshEcosystem();
    const promotions = (id: string) => aSignal("Q_PROMOTIONS_DETECTED", { promotion_count: 2 }, { id });
    await logOf(eco).append({ signals: [promotions("one"), promotions("two"), promotions("three")] });
    await policyOf(eco).catchUp(3);
    const list = async (query: string) => {
      const { decisions } = (await (await call(`/v1/${eco}/decisions?${query}`)).json()) as {
        decisions: { signal: { id: string }; outcome: string }[];
      };
      return decisions.map(({ signal }) => signal.id);
    };
    expect(await list("")).toEqual(["three", "two", "one"]);
    expect(await list("outcome=fired")).toEqual(["one"]);
    expect(await list("outcome=suppressed&limit=1")).toEqual(["three"]);
    expect(await list("signal=two")).toEqual(["two"]);
    expect(await list("rule=gap-to-investigation")).toEqual([]);
    expect(await list(`until=${new Date(Date.now() - 60_000).toISOString()}`)).toEqual([]);
    expect(await list(`since=${new Date(Date.now() - 60_000).toISOString()}`)).toHaveLength(3);
    expect((await problemOf(await call(`/v1/${eco}/decisions?signal=nobody`))).status).toBe(404);
    expect((await problemOf(await call(`/v1/${eco}/decisions?outcome=maybe`))).status).toBe(422);
  });
});
