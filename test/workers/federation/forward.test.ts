import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { describe, expect, test, vi } from "vitest";
import { makeToken } from "../access/tokens-under-test.ts";
import { call, freshEcosystem, post, problemOf } from "../api/calls.ts";
import { aSignal, deadLettersOf, logOf, policyOf } from "../log-under-test.ts";
import { putRule } from "../policy/policies-under-test.ts";
import { queueOver } from "../queue/queue-under-test.ts";
import { decide, decisionsOf, forwardedTo, forwarding, lineageOf } from "./federation-under-test.ts";

const patient = { timeout: 45_000 };
vi.setConfig({ testTimeout: 60_000 });

const put = (eco: string, id: string, rule: object, token: string) =>
  call(`/v1/${eco}/policies/${id}`, {
    method: "PUT",
    token,
    body: JSON.stringify(rule),
    headers: { "Content-Type": "application/json" },
  });
const append = (eco: string, name: string, facts: object, more = {}) =>
  logOf(eco).append({ signals: [aSignal(name, { ...facts }, more)] });
const deleteToken = (id: string) => call(`/v1/tokens/${id}`, { method: "DELETE" });

describe("signal that a rule forwards", () => {
  test("is in the other log once, with its facts, its time and where it came from", async () => {
    const [a, b] = [freshEcosystem(), freshEcosystem()];
    expect((await putRule(a, "up", forwarding("X_A", b))).status).toBe(200);
    await append(a, "X_A", { n: 1 }, { id: "first", source: "gpu-1", timestampMs: 1_000, depth: 3, cause: "gone" });
    await expect.poll(async () => (await forwardedTo(b)).length, patient).toBe(1);
    const [signal] = await forwardedTo(b);
    expect(signal).toMatchObject({
      signal: "X_A",
      source: `ganglion/bridge/${a}`,
      ecosystem: b,
      timestamp: "1970-01-01T00:00:01.000Z",
      facts: { n: 1 },
      via: { ecosystem: a, id: "first", signal: "X_A", source: "gpu-1" },
      depth: 4,
      hops: 1,
    });
    expect(signal?.cause).toBeUndefined();
    const [decision] = await decisionsOf(a, "up");
    expect(decision).toMatchObject({
      outcome: "fired",
      effects: [signal?.id],
      forwards: [{ forward_id: signal?.id, ecosystem: b, signal: "X_A" }],
    });
  });

  test("is explained from either end, as far as the token may read", async () => {
    const [a, b, c] = [freshEcosystem(), freshEcosystem(), freshEcosystem()];
    await putRule(a, "up", forwarding("X_A", b, { then: [{ emit: { signal: "X_A2", facts: {} } }] }));
    await putRule(a, "on", forwarding("X_A2", b, { then: [{ forward: { ecosystem: b, signal: "X_B" } }] }));
    await putRule(b, "on", forwarding("X_B", c));
    await append(a, "X_A", {}, { id: "first" });
    await expect.poll(async () => (await forwardedTo(c)).length, patient).toBe(1);
    const last = (await forwardedTo(c))[0]?.id ?? "";

    const whole = await lineageOf(c, last);
    expect(whole.missing_cause).toBeUndefined();
    expect(
      whole.upstream?.map(({ ecosystem, readable, signals }) => [ecosystem, readable, signals.map((s) => s.signal)]),
    ).toEqual([
      [b, true, ["X_B"]],
      [a, true, ["X_A", "X_A2"]],
    ]);
    expect(whole.upstream?.at(-1)?.decisions.map(({ rule }) => rule)).toEqual(["up", "on"]);

    const partly = await makeToken(c, ["signals:read"], { ecosystems: [c, b] });
    const cut = await lineageOf(c, last, partly.token);
    expect(cut.upstream?.map(({ ecosystem, readable }) => [ecosystem, readable])).toEqual([
      [b, true],
      [a, false],
    ]);
    expect(JSON.stringify(cut)).not.toContain('"first"');

    const source = await lineageOf(a, "first");
    expect(source.forwards).toMatchObject([{ ecosystem: b, signal: "X_B", rule: "on", state: "arrived" }]);
    const own = await makeToken(a, ["signals:read"]);
    expect((await lineageOf(a, "first", own.token)).forwards).toMatchObject([{ ecosystem: b, state: "unreadable" }]);
  });

  test("goes on under other numbers where its ecosystem was set back, and is there once", async () => {
    const [a, b] = [freshEcosystem(), freshEcosystem()];
    await putRule(a, "up", forwarding("X_A", b));
    for (let n = 1; n <= 3; n++) await append(a, "X_A", { n });
    await expect.poll(async () => (await forwardedTo(b)).length, patient).toBe(3);
    // As in a copy that was made after the first signal.
    await runInDurableObject(policyOf(a), (_, { storage }) => {
      storage.sql.exec("UPDATE bridges SET number = 1");
    });
    await evictDurableObject(policyOf(a));
    for (let n = 4; n <= 6; n++) await append(a, "X_A", { n });
    await decide(a);
    await expect
      .poll(async () => (await forwardedTo(b)).map(({ facts }) => facts.n), patient)
      .toEqual([1, 2, 3, 4, 5, 6]);
    const ids = (await forwardedTo(b)).map(({ id }) => id);
    const named = async () => (await decisionsOf(a, "up")).flatMap(({ effects }) => effects).reverse();
    await expect.poll(named, patient).toEqual(ids);
    expect((await lineageOf(a, ids[5] ?? "").catch(() => null))?.forwards).toBeUndefined();
  });

  test("goes round a ring of ecosystems eight times, and then becomes a dead letter with its chain", async () => {
    const [a, b] = [freshEcosystem(), freshEcosystem()];
    await putRule(a, "round", forwarding("X_A", b));
    await putRule(b, "round", forwarding("X_A", a));
    await append(a, "X_A", {}, { id: "first" });
    const letters = async () => (await deadLettersOf(a).list({ limit: 5 })).dead_letters;
    await expect.poll(async () => (await letters()).length, patient).toBe(1);
    expect((await letters())[0]?.error).toContain("has gone from one ecosystem to another 8 times");
    expect((await forwardedTo(a)).length + (await forwardedTo(b)).length).toBe(8);
    expect((await decisionsOf(a, "round"))[0]).toMatchObject({ outcome: "failed", effects: [] });
  });

  test("cannot be made up by a caller: where it came from and how far it went is the edge's word alone", async () => {
    const [a, b] = [freshEcosystem(), freshEcosystem()];
    await putRule(a, "up", forwarding("X_A", b));
    const via = { ecosystem: "other", seq: 1, id: "x", signal: "X_A", source: "s" };
    const made = { signal: "X_A", source: "me", facts: {}, via, hops: 8 };
    expect((await post(`/v1/${a}/signals`, made)).status).toBe(202);
    await expect.poll(async () => (await forwardedTo(b)).length, patient).toBe(1);
    expect((await forwardedTo(b))[0]).toMatchObject({ hops: 1, via: { ecosystem: a, source: "me" } });
    for (const forged of [{ source: `ganglion/bridge/${a}` }, { id: `ganglion.bridge-${a}.0a0a0a.7` }]) {
      const refused = await post(`/v1/${b}/signals`, { signal: "X_A", source: "me", facts: {}, ...forged });
      expect((await problemOf(refused)).status).toBe(403);
    }
  });
});

describe("author of a rule that reaches into another ecosystem", () => {
  test("needs the right there when the rule is put, enabled or put again", async () => {
    const [a, b] = [freshEcosystem(), freshEcosystem()];
    const here = await makeToken(a, ["policy:write", "signals:write", "tasks:write"]);
    const refused = await problemOf(await put(a, "up", forwarding("X_A", b), here.token));
    expect(refused).toMatchObject({ status: 403, scope: "signals:write", ecosystem: b, policy: "up" });
    const task = { enqueue: { queue: `${b}/jobs`, recipient: "'r'", type: "t" } };
    const enqueue = await problemOf(await put(a, "up", { when: "X_A", then: [task] }, here.token));
    expect(enqueue).toMatchObject({ status: 403, scope: "tasks:write" });
    const bound = await makeToken(a, ["policy:write", "signals:write"], { ecosystems: [a, b], sources: ["x-*"] });
    expect((await put(a, "up", forwarding("X_A", b), bound.token)).status).toBe(403);

    await putRule(a, "up", { ...forwarding("X_A", b), enabled: false });
    const enable = { method: "PATCH", token: here.token, body: '{"enabled":true}' };
    const patched = await call(`/v1/${a}/policies/up`, { ...enable, headers: { "Content-Type": "application/json" } });
    expect(patched.status).toBe(403);
    const itself = await problemOf(await putRule(a, "self", forwarding("X_A", a)));
    expect(itself.errors).toMatchObject([{ pointer: "/then/0/forward/ecosystem" }]);
  });

  test("who lost the right has the effects refused, and whoever puts the same rule again becomes its author", async () => {
    const [a, b] = [freshEcosystem(), freshEcosystem()];
    const author = await makeToken(a, ["policy:write", "signals:write", "tasks:write"], { ecosystems: [a, b] });
    const queue = `${b}/jobs`;
    const then = [{ forward: { ecosystem: b } }, { enqueue: { queue, recipient: "'r'", type: "t" } }];
    expect((await put(a, "up", { ...forwarding("X_A", b), then }, author.token)).status).toBe(200);
    await deleteToken(author.id);
    await append(a, "X_A", { n: 1 });
    await decide(a);
    const refused = async () => {
      const [decision] = await decisionsOf(a, "up");
      return [decision?.forwards?.[0]?.refused, decision?.tasks?.[0]?.refused].map((why) => why?.includes("deleted"));
    };
    await expect.poll(refused, patient).toEqual([true, true]);
    expect(await forwardedTo(b)).toEqual([]);
    expect((await lineageOf(a, (await decisionsOf(a, "up"))[0]?.signal.id ?? "")).forwards).toMatchObject([
      { state: "refused" },
    ]);

    expect(await (await putRule(a, "up", { ...forwarding("X_A", b), then })).json()).toMatchObject({ version: 2 });
    await append(a, "X_A", { n: 2 });
    await expect.poll(async () => (await forwardedTo(b)).map(({ facts }) => facts.n), patient).toEqual([2]);
    const [task] = await queueOver(b, "jobs").lease("r", { wait_ms: 15_000 });
    expect(task).toMatchObject({ type: "t", payload: { facts: { n: 2 } } });
  });
});
