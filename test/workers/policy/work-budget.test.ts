import { evictDurableObject } from "cloudflare:test";
import { describe, expect, test, vi } from "vitest";
import type { Policy } from "../../../src/core/policy/api.ts";
import { ADMIN, freshEcosystem, post, problemOf } from "../api/calls.ts";
import { allOf, aSignal, follow, logOf, policyOf } from "../log-under-test.ts";
import { echo, putRule, read } from "./policies-under-test.ts";

vi.setConfig({ testTimeout: 60_000 });

const HEAVY = "facts.list.all(a, facts.list.all(b, facts.list.all(c, true)))";
const NINE = [..."abcdefghi"].reduceRight((inner, name) => `facts.list.all(${name}, ${inner})`, "true");
const list = Array.from({ length: 1_000 }, (_, index) => index);
const append = (eco: string, count = 1) =>
  logOf(eco).append({ signals: Array.from({ length: count }, () => aSignal("X_LIST", { list, n: 1 })) });
const caughtUp = async (eco: string) => policyOf(eco).catchUp((await logOf(eco).status()).head_seq);
const policiesOf = async (eco: string) => (await read<{ policies: Policy[] }>(`/v1/${eco}/policies`)).policies;
const quarantineOf = async (eco: string, id: string) =>
  (await policiesOf(eco)).find((policy) => policy.id === id)?.quarantined;

/** An ecosystem with a rule that takes too many steps on a signal, and one that does not. */
async function anEcosystem(): Promise<string> {
  const eco = freshEcosystem();
  await putRule(eco, "heavy", echo("X_LIST", "X_HEAVY", { where: HEAVY, priority: 1 }));
  await putRule(eco, "light", echo("X_LIST", "X_LIGHT"));
  return eco;
}

describe("rule that takes too many steps", () => {
  test("is quarantined and reported, and the other rules go on", async () => {
    const eco = await anEcosystem();
    const stream = await follow(eco, ["X_LIGHT", "X_HEAVY", "Q_POLICY_QUARANTINED"]);
    await append(eco);
    await append(eco);
    const seen = [await stream.next(), await stream.next(), await stream.next()].map(({ signal }) => signal);
    expect(seen.toSorted()).toEqual(["Q_POLICY_QUARANTINED", "X_LIGHT", "X_LIGHT"]);
    const [signal] = (await allOf(eco)).filter((one) => one.signal === "Q_POLICY_QUARANTINED");
    expect(signal?.facts).toMatchObject({ policy: "heavy", version: 1, signal_id: expect.any(String) });
    expect(await quarantineOf(eco, "heavy")).toMatchObject({ reason: expect.stringContaining("steps") });
    expect(await quarantineOf(eco, "light")).toBeUndefined();
    expect((await read<{ policies: object }>(`/v1/${eco}/status`)).policies).toMatchObject({ quarantined: ["heavy"] });
    const failed = await read<{ decisions: object[] }>(`/v1/${eco}/decisions?rule=heavy`);
    expect(failed.decisions).toMatchObject([{ outcome: "failed", reason: expect.stringContaining("100000 steps") }]);
  });

  test("stays in quarantine after a restart and a rebuild, and is reported once", async () => {
    const eco = await anEcosystem();
    await append(eco);
    await caughtUp(eco);
    await evictDurableObject(policyOf(eco));
    await append(eco);
    await caughtUp(eco);
    const before = await quarantineOf(eco, "heavy");
    expect(before).toBeDefined();
    await policyOf(eco).rebuild();
    await caughtUp(eco);
    expect(await quarantineOf(eco, "heavy")).toEqual(before);
    const named = async () => (await allOf(eco)).filter(({ signal }) => signal === "Q_POLICY_QUARANTINED").length;
    await expect.poll(named).toBe(1);
  });

  test("decides again after it was edited", async () => {
    const eco = await anEcosystem();
    await append(eco);
    await caughtUp(eco);
    expect((await putRule(eco, "heavy", echo("X_LIST", "X_HEAVY", { where: "facts.n == 1" }))).status).toBe(200);
    expect(await quarantineOf(eco, "heavy")).toBeUndefined();
    const stream = await follow(eco, ["X_HEAVY"]);
    await append(eco);
    expect((await stream.next()).facts).toEqual({ n: 1 });
  });
});

describe("simulation", () => {
  const simulate = (eco: string, body: object, token = ADMIN) =>
    post(
      `/v1/${eco}/policies/tried/simulate`,
      { since: new Date(Date.now() - 60_000).toISOString(), ...body },
      { token },
    );
  const rule = (where: string) => ({ rule: echo("X_LIST", "X_OUT", { where, rate: { n: 1_000, per: "1m" } }) });

  test("needs the scope of those who may put rules", async () => {
    const eco = freshEcosystem();
    const tokenWith = async (scope: string) => {
      const made = await post("/v1/tokens", { name: scope, scopes: [scope], ecosystems: [eco] });
      return (await made.json<{ token: string }>()).token;
    };
    expect((await simulate(eco, rule("true"), await tokenWith("signals:read"))).status).toBe(403);
    expect((await simulate(eco, rule("true"), await tokenWith("policy:write"))).status).toBe(200);
  });

  test("of a rule that takes too many steps says so, and changes nothing in the rules in force", async () => {
    const eco = freshEcosystem();
    await append(eco, 3);
    const answer = await (await simulate(eco, rule(NINE))).json();
    expect(answer).toMatchObject({ signals: 3, truncated: false, outcomes: { tried: { failed: 1, fired: 0 } } });
    expect(await quarantineOf(eco, "tried")).toBeUndefined();
  });

  test("that takes more steps than one request may ends early and says how far it came", async () => {
    const eco = freshEcosystem();
    for (let round = 0; round < 3; round++) await append(eco, 120);
    const nearly = "facts.list.all(a, a >= 0 && a >= 0 && a >= 0 && a >= 0 && a >= 0 && a >= 0 && a >= 0 && a >= 0)";
    const answer = await (await simulate(eco, rule(nearly))).json<{ signals: number; through: string }>();
    expect(answer).toMatchObject({ truncated: true, outcomes: { tried: { failed: 0, fired: answer.signals } } });
    expect(answer.signals).toBeGreaterThan(0);
    expect(answer.signals).toBeLessThan(1_000);
    expect(answer.through).toMatch(/Z$/);
  });

  test("is refused while another one of the ecosystem runs, with the time after which to try again", async () => {
    const eco = freshEcosystem();
    await append(eco, 50);
    expect(await policyOf(eco).simulationTurn("another")).toEqual({ granted: true });
    const refused = await simulate(eco, rule("true"));
    expect(refused.headers.get("Retry-After")).toMatch(/^[1-5]$/);
    expect((await problemOf(refused)).status).toBe(429);
    await policyOf(eco).endSimulation("another");
    expect((await simulate(eco, rule("true"))).status).toBe(200);
    expect((await simulate(eco, rule("true"))).status).toBe(200);
  });

  test("runs alone where two are asked for at once", async () => {
    const eco = freshEcosystem();
    await append(eco, 100);
    const [first, second] = await Promise.all([simulate(eco, rule(NINE)), simulate(eco, rule(NINE))]);
    expect([first.status, second.status].toSorted()).toEqual([200, 429]);
  });
});
