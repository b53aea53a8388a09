import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, describe, expect, test, vi } from "vitest";
import { freshEcosystem } from "../api/calls.ts";
import { allOf, aSignal, follow, logOf, policyOf } from "../log-under-test.ts";
import { patience } from "../patience.ts";
import { putRule, read } from "./policies-under-test.ts";

afterEach(() => void vi.useRealTimers());

const asked = (within: string, more: object = {}) => ({
  when: "X_ASKED",
  rate: { n: 100_000, per: "1m" },
  expect: {
    signal: "X_ANSWERED",
    by: "facts.id",
    within,
    else: [{ emit: { signal: "X_LATE", facts: { id: "facts.id" } } }],
    ...more,
  },
});
const append = (eco: string, name: string, ...ids: unknown[]) =>
  logOf(eco).append({ signals: ids.map((id) => aSignal(name, { id })) });
const late = async (eco: string) => (await allOf(eco)).filter(({ signal }) => signal === "X_LATE");
const waiting = (eco: string) =>
  read<{ expectations: { by: string }[]; total: number; next: string | null }>(`/v1/${eco}/expectations?limit=2`);

/** Runs the alarm, which is set already, at a time at which all expectations of an hour are overdue. */
async function passAnHour(eco: string): Promise<void> {
  vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 3_601_000 });
  expect(await runDurableObjectAlarm(policyOf(eco))).toBe(true);
}

describe("expectation of a rule", () => {
  test("times out once, at its time, by an alarm, also after a restart", async () => {
    const eco = freshEcosystem();
    await putRule(eco, "r", asked("1h"));
    const stream = await follow(eco, ["X_LATE"]);
    await append(eco, "X_ASKED", "a", "b", "c", "a");
    await expect.poll(async () => (await waiting(eco)).total, patience).toBe(3);
    await append(eco, "X_ANSWERED", "b");
    await expect.poll(async () => (await waiting(eco)).expectations.map(({ by }) => by), patience).toEqual(["a", "c"]);
    await evictDurableObject(policyOf(eco));
    await passAnHour(eco);
    const [first, second] = [await stream.next(), await stream.next()];
    expect([first.facts.id, second.facts.id]).toEqual(["a", "c"]);
    const begun = (await allOf(eco)).find(({ signal, facts }) => signal === "X_ASKED" && facts.id === "a");
    expect(first.cause).toBe(begun?.id);
    expect(Date.parse(first.timestamp) - Date.parse(begun?.received_at ?? "")).toBe(3_600_000);
    const { decisions } = await policyOf(eco).decisions({ limit: 100 });
    const told = decisions.find(({ effects }) => effects.includes(second.id));
    expect(told).toMatchObject({ outcome: "fired", reason: "no X_ANSWERED within 1h", effects: [second.id] });
    await policyOf(eco).rebuild();
    await append(eco, "X_ANSWERED", "a");
    await policyOf(eco).catchUp((await logOf(eco).status()).head_seq);
    expect(await late(eco)).toHaveLength(2);
    expect((await waiting(eco)).total).toBe(0);
  });

  test("that was not met is known as late, across a restart, until its rule waits for the same anew", async () => {
    const eco = freshEcosystem();
    await putRule(eco, "r", asked("1h"));
    await append(eco, "X_ASKED", "a", "b");
    await expect.poll(async () => (await waiting(eco)).total, patience).toBe(2);
    const keys = async () => (await policyOf(eco).attention()).late.map(({ key }) => key);
    expect(await keys()).toEqual([]);
    await passAnHour(eco);
    expect(await keys()).toEqual(["a", "b"]);
    await evictDurableObject(policyOf(eco));
    const [first] = (await policyOf(eco).attention()).late;
    const begun = (await allOf(eco)).find(({ signal, facts }) => signal === "X_ASKED" && facts.id === "a");
    expect(first).toMatchObject({ rule: "r", reason: "no X_ANSWERED within 1h", origin: begun?.id });
    await policyOf(eco).rebuild();
    expect(await keys()).toEqual(["a", "b"]);
    await append(eco, "X_ASKED", "a");
    await policyOf(eco).catchUp((await logOf(eco).status()).head_seq);
    expect(await keys()).toEqual(["b"]);
    vi.setSystemTime(Date.now() + 3_601_000);
    expect(await keys()).toEqual([]);
  });

  test("is met by an answer that lies in the log unread when its time is over", async () => {
    const eco = freshEcosystem();
    await putRule(eco, "r", asked("1h"));
    // The queue loses all messages: the policy receives the answer only when it reads the log.
    await runInDurableObject(logOf(eco), (log) => {
      Object.assign(log, { env: { ...env, SIGNALS: { send: async () => undefined } } });
    });
    const stream = await follow(eco, ["X_LATE"]);
    await append(eco, "X_ASKED", "a", "b");
    await policyOf(eco).catchUp((await logOf(eco).status()).head_seq);
    await append(eco, "X_ANSWERED", "a");
    await passAnHour(eco);
    expect((await stream.next()).facts.id).toBe("b");
    expect(await late(eco)).toHaveLength(1);
  });

  test("is met once by an answer that came shortly before, where the rule looks back", async () => {
    const eco = freshEcosystem();
    await putRule(eco, "r", asked("300ms", { lookback: "1h" }));
    const stream = await follow(eco, ["X_LATE"]);
    await append(eco, "X_ANSWERED", "a");
    await append(eco, "X_ASKED", "a", "a");
    // The runtime runs the alarm, not the test.
    expect((await stream.next()).facts.id).toBe("a");
    expect(await late(eco)).toHaveLength(1);
  });

  test("shares one alarm with ten thousand others, and all are handled in order", async () => {
    const eco = freshEcosystem();
    await putRule(eco, "r", asked("1h"));
    const ids = Array.from({ length: 10_000 }, (_, at) => at);
    for (let at = 0; at < ids.length; at += 1_000) await append(eco, "X_ASKED", ...ids.slice(at, at + 1_000));
    await policyOf(eco).catchUp((await logOf(eco).status()).head_seq);
    const page = await waiting(eco);
    expect(page).toMatchObject({ total: 10_000, next: expect.any(String) });
    const rows = await runInDurableObject(policyOf(eco), async (_, state) => ({
      alarm: await state.storage.getAlarm(),
      waiting: state.storage.sql
        .exec<{ n: number }>("SELECT COUNT(*) AS n FROM rule_state WHERE kind = 'expected'")
        .one().n,
    }));
    expect(rows.waiting).toBe(10_000);
    expect(rows.alarm).not.toBeNull();
    await append(eco, "X_ANSWERED", 4, 5);
    await policyOf(eco).catchUp((await logOf(eco).status()).head_seq);
    expect((await waiting(eco)).total).toBe(9_998);
    expect(await runDurableObjectAlarm(policyOf(eco))).toBe(true);
    expect(await late(eco)).toEqual([]);
  }, 60_000);
});
