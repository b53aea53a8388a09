import { evictDurableObject } from "cloudflare:test";
import { describe, expect, it } from "vitest";
import type { Lineage } from "../../../src/core/lineage/lineage.ts";
import { call, freshEcosystem, problemOf } from "../api/calls.ts";
import { allOf, aSignal, deadLettersOf, follow, logOf, observationsOf, policyOf } from "../log-under-test.ts";

const lineageOf = async (eco: string, id: string) =>
  (await (await call(`/v1/${eco}/signals/${id}/lineage`)).json()) as Lineage;
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
    await evictDurableObject(logOf(eco));
    await fill(300);
    await logOf(eco).append({ signals: [link("c", "b")] });
    await evictDurableObject(logOf(eco));
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
