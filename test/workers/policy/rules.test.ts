import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { describe, expect, test, vi } from "vitest";
import { BUILT_IN_RULES } from "../../../src/core/policy/built-in-rules.ts";
import { freshEcosystem, problemOf } from "../api/calls.ts";
import { allOf, aSignal, follow, logOf, policyOf } from "../log-under-test.ts";
import { echo, putRule, read, send } from "./policies-under-test.ts";

const patient = { timeout: 45_000 };
vi.setConfig({ testTimeout: 30_000 });

const named = async (eco: string, name: string) => (await allOf(eco)).filter(({ signal }) => signal === name);
const append = (eco: string, name: string, n: number) => logOf(eco).append({ signals: [aSignal(name, { n })] });
const caughtUp = async (eco: string) => policyOf(eco).catchUp((await logOf(eco).status()).head_seq);

describe("rule that is put", () => {
  test("decides on signals that the log receives after the answer, and on none before", async () => {
    const eco = freshEcosystem();
    await append(eco, "X_NEW", 1);
    const stream = await follow(eco, ["X_OUT"]);
    expect((await putRule(eco, "r", echo("X_*", "X_OUT", { when: "X_NEW" }))).status).toBe(200);
    await append(eco, "X_NEW", 2);
    expect((await stream.next()).facts).toEqual({ n: 2 });
    await evictDurableObject(logOf(eco));
    await evictDurableObject(policyOf(eco));
    const again = await follow(eco, ["X_OUT"]);
    await append(eco, "X_NEW", 3);
    expect((await again.next()).facts).toEqual({ n: 3 });
    expect(await named(eco, "X_OUT")).toHaveLength(2);
  });

  test("gets a version for each change, and none without a change", async () => {
    const eco = freshEcosystem();
    const first = await (await putRule(eco, "r", echo("X_A", "X_B"))).json();
    expect(first).toMatchObject({ id: "r", version: 1, enabled: true, priority: 5, built_in: false, when: ["X_A"] });
    expect(await (await putRule(eco, "r", echo("X_A", "X_B"))).json()).toEqual(first);
    expect(await (await putRule(eco, "r", echo("X_A", "X_C"))).json()).toMatchObject({ version: 2 });
    expect(await (await send("PATCH", `/v1/${eco}/policies/r`, { enabled: false })).json()).toMatchObject({
      version: 3,
    });
    expect((await send("DELETE", `/v1/${eco}/policies/r`)).status).toBe(200);
    expect(await (await putRule(eco, "r", echo("X_A", "X_B"))).json()).toMatchObject({ version: 5 });
    const { versions } = await read<{ versions: { version: number; rule: unknown }[] }>(`/v1/${eco}/policies/r`);
    expect(versions.map(({ version, rule }) => [version, rule === null])).toEqual([
      [5, false],
      [4, true],
      [3, false],
      [2, false],
      [1, false],
    ]);
    const told = async () => (await named(eco, "Q_POLICY_CHANGED")).map(({ facts }) => facts.version);
    await expect.poll(told, patient).toEqual([1, 2, 3, 4, 5]);
  });

  test("is refused for a version that is not in force, and for errors with their place", async () => {
    const eco = freshEcosystem();
    expect((await putRule(eco, "r", echo("X_A", "X_B", { version: 0 }))).status).toBe(200);
    const conflict = await problemOf(await putRule(eco, "r", echo("X_A", "X_C", { version: 0 })));
    expect(conflict).toMatchObject({ status: 409, version: 1, policy: "r" });
    const wrong = await problemOf(await putRule(eco, "r", echo("X_A", "X_C", { where: "facts.n >" })));
    expect(wrong.errors).toEqual([{ pointer: "/where", message: "line 1, column 10: Unexpected token: EOF" }]);
    expect(
      (await problemOf(await putRule(eco, "r", { ...echo("X_A", "X_B"), id: "other" }))).errors?.[0]?.pointer,
    ).toBe("/id");
    expect((await problemOf(await send("DELETE", `/v1/${eco}/policies/none`))).status).toBe(404);
    expect((await problemOf(await send("PATCH", `/v1/${eco}/policies/none`, { enabled: true }))).status).toBe(404);
    expect((await problemOf(await send("PATCH", `/v1/${eco}/policies/r`, { enabled: 1 }))).status).toBe(422);
    expect((await problemOf(await send("PUT", `/v1/${eco}/policies`, { policies: [{}], x: 1 }))).status).toBe(422);
  });

  test("in a set is put with the whole set or not at all", async () => {
    const eco = freshEcosystem();
    const set = (...policies: object[]) => send("PUT", `/v1/${eco}/policies`, { policies });
    const [a, b] = [
      { id: "a", ...echo("X_A", "X_B") },
      { id: "b", ...echo("X_A", "X_C") },
    ];
    const refused = await problemOf(await set(a, { ...b, where: "1 +" }, { ...b, id: "a" }));
    expect(refused.errors?.map(({ pointer }) => pointer)).toEqual(["/policies/1/where", "/policies/2/id"]);
    expect(await (await set(a, b)).json()).toMatchObject({ created: ["a", "b"], deleted: [] });
    expect(await (await set({ ...a, cooldown: "1s" })).json()).toMatchObject({ changed: ["a"], deleted: ["b"] });
    const ids = (await read<{ policies: { id: string }[] }>(`/v1/${eco}/policies`)).policies.map(({ id }) => id);
    expect(ids).toEqual(["a", ...BUILT_IN_RULES.map(({ id }) => id)].sort());
  });
});

describe("several rules in one request", () => {
  const change = (eco: string, ...policies: object[]) => send("PATCH", `/v1/${eco}/policies`, { policies });
  const versions = async (eco: string) =>
    Object.fromEntries(
      (await read<{ policies: { id: string; version: number }[] }>(`/v1/${eco}/policies`)).policies
        .filter(({ id }) => ["a", "b", "c"].includes(id))
        .map(({ id, version }) => [id, version]),
    );

  test("come into force together, and other rules stay", async () => {
    const eco = freshEcosystem();
    await putRule(eco, "c", echo("X_A", "X_D"));
    const [a, b] = [
      { id: "a", ...echo("X_A", "X_B") },
      { id: "b", ...echo("X_A", "X_C") },
    ];
    const made = await (await change(eco, { ...a, version: 0 }, { ...b, version: 0 })).json();
    expect(made).toMatchObject({ created: ["a", "b"], deleted: [], after_seq: expect.any(Number) });
    expect(await versions(eco)).toEqual({ a: 1, b: 1, c: 1 });
    const changed = await (await change(eco, { ...a, cooldown: "1s", version: 1 }, { ...b, version: 1 })).json();
    expect(changed).toMatchObject({ created: [], changed: ["a"], unchanged: ["b"] });
  });

  test("are all refused where one has changed meanwhile, is invalid, or is named twice", async () => {
    const eco = freshEcosystem();
    const [a, b] = [
      { id: "a", ...echo("X_A", "X_B") },
      { id: "b", ...echo("X_A", "X_C") },
    ];
    await change(eco, a, b);
    await putRule(eco, "b", { ...b, cooldown: "5s" });
    const late = await problemOf(await change(eco, { ...a, cooldown: "1s", version: 1 }, { ...b, version: 1 }));
    expect(late).toMatchObject({ status: 409, policy: "b", version: 2 });
    expect((await problemOf(await change(eco, { ...a, cooldown: "1s" }, { ...b, where: "1 +" }))).status).toBe(422);
    expect((await problemOf(await change(eco, { ...a, cooldown: "1s" }, { ...b, id: "a" }))).status).toBe(422);
    expect(await versions(eco)).toEqual({ a: 1, b: 2 });
    // Of two clients that have read the same version, one is refused.
    const both = await Promise.all([1, 2].map((s) => change(eco, { ...a, cooldown: `${s}s`, version: 1 })));
    expect(both.map(({ status }) => status).sort()).toEqual([200, 409]);
  });
});

describe("built-in rule", () => {
  test("can be changed and disabled, but not deleted, and goes back to its original when a change is deleted", async () => {
    const eco = freshEcosystem();
    const path = `/v1/${eco}/policies/promotions-to-dream`;
    expect((await problemOf(await send("DELETE", path))).status).toBe(409);
    const off = await (await send("PATCH", path, { enabled: false })).json();
    expect(off).toMatchObject({ built_in: true, modified: true, enabled: false, version: 2 });
    await logOf(eco).append({ signals: [aSignal("Q_PROMOTIONS_DETECTED", { promotion_count: 1 })] });
    await caughtUp(eco);
    expect((await send("DELETE", path)).status).toBe(200);
    expect((await read<{ policy: object }>(path)).policy).toMatchObject({ modified: false, enabled: true, version: 3 });
    const stream = await follow(eco, ["Q_DREAM_TRIGGER"]);
    await logOf(eco).append({ signals: [aSignal("Q_PROMOTIONS_DETECTED", { promotion_count: 7 })] });
    expect((await stream.next()).facts.promotion_count).toBe(7);
    expect(await named(eco, "Q_DREAM_TRIGGER")).toHaveLength(1);
  });
});

describe("rebuild of the rules from the log", () => {
  test("decides on each signal by the rules of its time, and repeats no effect", async () => {
    const eco = freshEcosystem();
    const counting = (to: string, n: number) =>
      echo("X_IN", to, { at_least: { n, within: "1h" }, remember: { all: "state.?all.orValue(0) + 1" } });
    await putRule(eco, "r", counting("X_ONE", 2));
    for (const n of [1, 2, 3]) await append(eco, "X_IN", n);
    await putRule(eco, "r", counting("X_TWO", 3));
    await putRule(eco, "gone", echo("X_SEEN_ONCE", "X_TWO"));
    await append(eco, "X_SEEN_ONCE", 9);
    await append(eco, "X_IN", 4);
    await caughtUp(eco);
    await send("DELETE", `/v1/${eco}/policies/gone`);
    for (const n of [5, 6]) await append(eco, "X_IN", n);
    await caughtUp(eco);
    const kept = () =>
      runInDurableObject(policyOf(eco), (_, state) =>
        JSON.stringify([...state.storage.sql.exec("SELECT * FROM rule_state")]),
      );
    const second = async () => (await named(eco, "X_TWO")).map(({ facts }) => facts.n);
    await expect.poll(second, patient).toEqual([9, 5]);
    await caughtUp(eco);
    const { decisions } = await policyOf(eco).decisions({ limit: 100 });
    const before = { kept: await kept(), log: (await allOf(eco)).length };
    expect((await named(eco, "X_ONE")).length).toBe(1);
    await policyOf(eco).rebuild();
    expect({ kept: await kept(), log: (await allOf(eco)).length }).toEqual(before);
    expect((await policyOf(eco).decisions({ limit: 100 })).decisions).toEqual(decisions);
    await append(eco, "X_IN", 7);
    await append(eco, "X_IN", 8);
    await expect.poll(async () => (await named(eco, "X_TWO")).length, patient).toBe(3);
  });
});
