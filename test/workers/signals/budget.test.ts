import { env } from "cloudflare:workers";
import { afterEach, describe, expect, it, vi } from "vitest";
import type { Budget } from "../../../src/core/billing/budget.ts";
import { leavesOut, newBudget, withSpent } from "../../../src/core/billing/budget.ts";
import { directory } from "../../../src/workers/bindings/objects.ts";
import { everyMinute } from "../../../src/workers/cron.ts";
import { call, freshEcosystem, post } from "../api/calls.ts";
import { anObservation, aSignal, follow, logOf } from "../log-under-test.ts";

/** The plan is a part of what is spent: 5 of a month's dollars, and next to nothing else in a test. */
const WARNED = 6;
const EXCEEDED = 1;

const put = async (eco: string, monthly_usd: number | null) => {
  const answer = await post(`/v1/${eco}/budget`, { monthly_usd }, { method: "PUT" });
  return (await answer.json()) as Budget;
};
const read = async <Body>(path: string) => (await (await call(path)).json()) as Body;

/** A time at which observations are left out, in the middle of a month. */
function leavingTime(): number {
  let nowMs = Date.parse("2026-11-10T12:00:00.000Z");
  const exceeded = () => withSpent({ ...newBudget(nowMs), monthly_usd: 1 }, 2, nowMs).budget;
  while (!leavesOut(exceeded(), nowMs)) nowMs += 10_000;
  return nowMs;
}

/** An ecosystem whose budget is exceeded, at a time at which observations are left out. */
async function exceeded() {
  vi.useFakeTimers({ toFake: ["Date"], now: leavingTime() });
  const eco = freshEcosystem();
  expect(await put(eco, EXCEEDED)).toMatchObject({ state: "exceeded", observations: { taken_one_of: 10 } });
  return eco;
}

afterEach(() => void vi.useRealTimers());

describe("a budget of which 80 % are spent", () => {
  it("is warned of by one signal a month, and shown by status, usage and attention", async () => {
    const eco = freshEcosystem();
    const stream = await follow(eco, ["ganglion.budget.*", "Q_END"]);
    expect(await put(eco, WARNED)).toMatchObject({ state: "warned", monthly_usd: WARNED });
    expect(await stream.next()).toMatchObject({ signal: "ganglion.budget.changed", facts: { before_usd: null } });
    expect(await stream.next()).toMatchObject({ signal: "ganglion.budget.warned", facts: { monthly_usd: WARNED } });
    expect(await put(eco, WARNED - 0.1)).toMatchObject({ state: "warned" });
    await logOf(eco).append({ signals: [aSignal("Q_END", {})] });
    expect(await stream.next()).toMatchObject({ signal: "ganglion.budget.changed", facts: { before_usd: WARNED } });
    expect(await stream.next()).toMatchObject({ signal: "Q_END" });
    const status = await read<{ log: { budget?: Budget } }>(`/v1/${eco}/status`);
    const usage = await read<{ budget?: Budget }>(`/v1/${eco}/usage`);
    const { items } = await read<{ items: { kind: string; severity: string }[] }>(`/v1/${eco}/attention`);
    expect([status.log.budget?.state, usage.budget?.state]).toEqual(["warned", "warned"]);
    expect(items).toMatchObject([{ kind: "budget", severity: "warning" }]);
  });

  it("is counted again by the minute's round, every ten minutes", async () => {
    const nowMs = Date.parse("2026-11-10T12:00:00.000Z");
    vi.useFakeTimers({ toFake: ["Date"], now: nowMs - 120_000 });
    const eco = freshEcosystem();
    await put(eco, 100);
    await directory(env).touch(eco, nowMs);
    vi.setSystemTime(nowMs - 60_000);
    await everyMinute(env, nowMs - 60_000);
    expect(await read(`/v1/${eco}/budget`)).toMatchObject({ checked_at: "2026-11-10T11:58:00.000Z" });
    vi.setSystemTime(nowMs);
    await everyMinute(env, nowMs);
    expect(await read(`/v1/${eco}/budget`)).toMatchObject({ state: "within", checked_at: "2026-11-10T12:00:00.000Z" });
  });
});

describe("an ecosystem above its budget", () => {
  it("leaves observations of callers out and counts them, and takes everything else", async () => {
    const eco = await exceeded();
    const observation = { signal: "OBSERVATION", source: "s", facts: { zooid: "z" } };
    const answer = await post(`/v1/${eco}/signals`, [
      observation,
      { signal: "Q_X", source: "s", facts: {} },
      observation,
    ]);
    expect(await answer.json()).toMatchObject({
      accepted: 1,
      duplicates: 0,
      left_out: 2,
      ids: ["", expect.any(String), ""],
    });
    const task = await post(`/v1/${eco}/queues/q/tasks`, { recipient: "r", type: "T", payload: 1 });
    expect(task.status).toBe(202);
    // What the edge finds out itself.
    expect(await logOf(eco).append({ signals: [anObservation("z", {})] })).toMatchObject({ accepted: 1 });
    const { log } = await read<{ log: { budget: Budget } }>(`/v1/${eco}/status`);
    expect(log.budget.observations).toEqual({ taken_one_of: 10, left_out: 2 });
  });

  it("lets a host's numbers go on over what is left out, also where the host sends it again", async () => {
    const eco = await exceeded();
    const signals = [anObservation("z", { n: 1 }), aSignal("Q_X", {}), anObservation("z", { n: 3 })];
    const send = (first: number, some: typeof signals) =>
      logOf(eco).append({ producer: { name: "h.e.local", first, remote: true }, owner: "h", signals: some });
    expect(await send(1, signals)).toMatchObject({ accepted: 1, left_out: 2 });
    expect(await send(1, signals)).toMatchObject({ accepted: 0, duplicates: 2, left_out: 1 });
    expect(await send(1, signals.slice(0, 1))).toMatchObject({ accepted: 0, duplicates: 1 });
    expect(await send(4, [aSignal("Q_Y", {})])).toMatchObject({ accepted: 1, ids: ["h.e.local.4"] });
  });

  it("takes all observations again in the next month, and with a higher budget", async () => {
    const eco = await exceeded();
    const observe = async () =>
      (await logOf(eco).append({ owner: "t", signals: [anObservation("z", {})] })) as { accepted: number };
    expect(await observe()).toMatchObject({ accepted: 0, left_out: 1 });
    await put(eco, 100);
    expect(await observe()).toMatchObject({ accepted: 1 });
    await put(eco, EXCEEDED);
    expect(await observe()).toMatchObject({ accepted: 0 });
    vi.setSystemTime(Date.parse("2026-12-01T00:00:00.000Z"));
    expect(await observe()).toMatchObject({ accepted: 1 });
    const budget = await read<Budget>(`/v1/${eco}/budget`);
    expect(budget).toMatchObject({ month: "2026-12", state: "within", observations: { left_out: 0 } });
  });
});
