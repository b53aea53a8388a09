import { evictDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import type {
  OutcomeInput,
  RollbackRule,
  RolloutState,
  RolloutView,
} from "../../../src/core/intelligence/rollout/api.ts";
import { intelligence } from "../../../src/workers/bindings/objects.ts";
import { makeToken } from "../access/tokens-under-test.ts";
import { call, freshEcosystem, post, problemOf } from "../api/calls.ts";
import { follow } from "../log-under-test.ts";

const at = (eco: string, path = "/rollout") => `/v1/${eco}/intelligence${path}`;
const set = (eco: string, body: unknown, token?: string) =>
  post(at(eco), body, { method: "PUT", ...(token === undefined ? {} : { token }) });
const show = async (eco: string) => (await (await call(at(eco))).json()) as RolloutView;
const report = async (eco: string, body: Partial<OutcomeInput>) => {
  const answer = await post(at(eco, "/outcomes"), { reporter: "r", number: 1, version: 0, ...body });
  if (answer.status !== 200) throw new Error(await answer.text());
  return (await answer.json()) as RolloutState;
};

describe("the roll-out over HTTP", () => {
  it("asks all at first, is set with a signal, and is the same after the object was evicted", async () => {
    const eco = freshEcosystem();
    const signals = await follow(eco, ["Q_ROLLOUT_*"]);
    expect(await show(eco)).toMatchObject({ share: 100, version: 0, by: null, rolled_back: null, min_requests: 20 });
    expect(await (await set(eco, { share: 10, note: "first stage" })).json()).toMatchObject({ share: 10, version: 1 });
    expect(await signals.next()).toMatchObject({
      signal: "Q_ROLLOUT_CHANGED",
      source: "ganglion/intelligence",
      facts: { share: 10, share_before: 100, version: 1, by: "ADMIN_TOKEN", note: "first stage" },
    });
    await report(eco, { version: 1, live: { successes: 30, latency_ms: [[20, 30]] } });
    const before = await show(eco);
    expect(before.arms.live).toMatchObject({ requests: 30, success_percent: 100 });
    await evictDurableObject(intelligence(env, eco));
    expect(await show(eco)).toEqual(before);
  });

  const RULES: [RollbackRule, NonNullable<OutcomeInput["live"]>, object][] = [
    ["correlation_mismatch", { errors: 1, mismatches: 1 }, { value: 1, limit: 0, requests: 1 }],
    ["corrupted_data", { errors: 1, corrupted: 1 }, { value: 1, limit: 0, requests: 1 }],
    ["connection_errors", { successes: 17, fallbacks: 3, connection_errors: 3 }, { value: 15, limit: 10 }],
    ["fallback", { successes: 15, fallbacks: 5 }, { value: 25, limit: 20 }],
    ["success", { successes: 17, errors: 3 }, { value: 85, limit: 90 }],
    ["latency", { successes: 20, latency_ms: [[900, 20]] }, { limit: 500 }],
  ];
  it.each(RULES)("is rolled back for %s, by a signal, until somebody raises it", async (rule, live, measured) => {
    const eco = freshEcosystem();
    await set(eco, { share: 50 });
    const signals = await follow(eco, ["Q_ROLLOUT_ROLLED_BACK"]);
    const state = await report(eco, { version: 1, live });
    expect(state).toMatchObject({ share: 0, version: 2, rolled_back: { rule, share_before: 50 } });
    const { facts } = await signals.next();
    expect(facts).toMatchObject({ rule, share: 0, share_before: 50, ...measured });
    await evictDurableObject(intelligence(env, eco));
    expect(await show(eco)).toMatchObject({ share: 0, rolled_back: { rule } });
    await report(eco, { number: 2, version: 1, live });
    expect(await (await set(eco, { share: 10 })).json()).toMatchObject({ share: 10, version: 3, rolled_back: null });
    expect(await report(eco, { number: 3, version: 3, live: { successes: 20 } })).toMatchObject({ share: 10 });
    expect(signals.waiting).toEqual([]);
  });

  it("is rolled back by hand", async () => {
    const eco = freshEcosystem();
    const signals = await follow(eco, ["Q_ROLLOUT_ROLLED_BACK"]);
    const answer = await post(`${at(eco)}/rollback`, { note: "odd answers" });
    expect(await answer.json()).toMatchObject({ share: 0, rolled_back: { rule: "by_hand", share_before: 100 } });
    expect((await signals.next()).facts).toMatchObject({ rule: "by_hand", value: null, note: "odd answers" });
  });

  it("reads back what many askers reported, and requests that took an hour", async () => {
    const eco = freshEcosystem();
    const live = { successes: 1_000_000, patterns: 1_000_000, latency_ms: [[3_600_000, 1]] as [number, number][] };
    await set(eco, { share: 0 });
    for (const reporter of ["a", "b"]) await report(eco, { reporter, version: 1, live });
    await evictDurableObject(intelligence(env, eco));
    expect((await show(eco)).arms.live).toMatchObject({ requests: 2_000_000, p95_ms: expect.closeTo(3_600_000, -5) });
  });

  it("counts a report that is sent twice once, before and after the object was evicted", async () => {
    const eco = freshEcosystem();
    const twice = { live: { successes: 5, patterns: 15 } };
    await report(eco, twice);
    await report(eco, twice);
    await evictDurableObject(intelligence(env, eco));
    await report(eco, twice);
    await report(eco, { ...twice, reporter: "another" });
    expect((await show(eco)).arms.live).toMatchObject({ requests: 10, patterns_per_request: 3 });
  });
});

describe("the figures of the dashboard", () => {
  it("are those of all askers, with what is beyond its target", async () => {
    const eco = freshEcosystem();
    await report(eco, {
      live: {
        successes: 94,
        timeouts: 4,
        fallbacks: 2,
        connection_errors: 2,
        patterns: 300,
        confidence: { sum: 90, squares: 81 },
        latency_ms: [
          [50, 90],
          [150, 10],
        ],
      },
    });
    const health = (await (await call(at(eco, "/health"))).json()) as Record<string, unknown>;
    expect(health).toMatchObject({
      requests: 100,
      success_percent: 94,
      fallback_percent: 6,
      patterns_per_request: 3,
      confidence: 0.9,
      connection_health_percent: 98,
      last_five_minutes: { timeouts: 4, mismatches: 0, critical: 0 },
    });
    expect((health.alerts as { alert: string }[]).map(({ alert }) => alert)).toEqual([
      "success",
      "fallback",
      "latency",
      "connection",
    ]);
  });

  it("become a signal once a minute, and at once where an answer was mixed up", async () => {
    const eco = freshEcosystem();
    const signals = await follow(eco, ["Q_INTELLIGENCE_HEALTH"]);
    const answered = { successes: 1, latency_ms: [[20, 1]] as [number, number][] };
    await report(eco, { live: answered });
    await report(eco, { number: 2, live: answered });
    await report(eco, { number: 3, live: { errors: 1, mismatches: 1 } });
    expect((await signals.next()).facts).toMatchObject({ requests: 1, success_percent: 100, mismatches: 0 });
    expect((await signals.next()).facts).toMatchObject({ requests: 3, mismatches: 1, critical: 1 });
    expect(signals.waiting).toEqual([]);
  });
});

describe("a call about the roll-out", () => {
  it("takes reports of those who may ask, and changes of those who may change rules", async () => {
    const eco = freshEcosystem();
    const { token } = await makeToken(eco, ["tasks:write"]);
    const body = { reporter: "r", number: 1, version: 0 };
    expect((await post(at(eco, "/outcomes"), body, { token })).status).toBe(200);
    expect((await set(eco, { share: 10 }, token)).status).toBe(403);
    expect((await call(at(eco), { token })).status).toBe(403);
  });

  it.each([
    [{ share: 101 }, "/share"],
    [{ share: 10, persent: 1 }, "/persent"],
  ])("refuses %j and points at %s", async (body, pointer) => {
    const { status, errors } = await problemOf(await set("refusals", body));
    expect([status, errors?.[0]?.pointer]).toEqual([422, pointer]);
  });

  it("refuses a change that names a version which is not in force", async () => {
    const eco = freshEcosystem();
    await set(eco, { share: 10, version: 0 });
    expect(await problemOf(await set(eco, { share: 50, version: 0 }))).toMatchObject({ status: 409, version: 1 });
  });
});
