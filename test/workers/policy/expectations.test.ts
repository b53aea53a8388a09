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

/** The alarm is set already; it is run when all that was expected within an hour is over. */
async function passAnHour(eco: string): Promise<void> {
  vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 3_601_000 });
  expect(await runDurableObjectAlarm(policyOf(eco))).toBe(true);
}

describe("what is expected", () => {
  test("and does not come is told of by an alarm, once, at its time, also after a restart", async () => {
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

  test("and lies in the log unread when its time is over has come in time", async () => {
    const eco = freshEcosystem();
    await putRule(eco, "r", asked("1h"));
    // The queue loses everything: the policy hears of the answer only when it asks the log.
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

  test("and came shortly before counts where the rule looks back, and answers once", async () => {
    const eco = freshEcosystem();
    await putRule(eco, "r", asked("300ms", { lookback: "1h" }));
    const stream = await follow(eco, ["X_LATE"]);
    await append(eco, "X_ANSWERED", "a");
    await append(eco, "X_ASKED", "a", "a");
    // Nobody runs the alarm here: the runtime does.
    expect((await stream.next()).facts.id).toBe("a");
    expect(await late(eco)).toHaveLength(1);
  });

  test("ten thousand at once wait for one alarm and are told of in their order", async () => {
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
