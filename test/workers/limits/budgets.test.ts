import { evictDurableObject } from "cloudflare:test";
import { afterEach, describe, expect, it, vi } from "vitest";
import type { SpendingBudget } from "../../../src/core/limits/budgets/api.ts";
import { call, post, problemOf } from "../api/calls.ts";
import { limitsOf } from "./limits-under-test.ts";

afterEach(() => {
  vi.useRealTimers();
});

const NOON = Date.UTC(2026, 0, 31, 12);

function budgetsOf() {
  const limits = limitsOf();
  const base = `/v1/${limits.eco}/budgets`;
  const read = async (response: Promise<Response>) => {
    const answer = await response;
    if (!answer.ok) throw new Error(`${answer.status} ${await answer.text()}`);
    return (await answer.json()) as SpendingBudget;
  };
  return {
    ...limits,
    budgets: base,
    set: (settings: object, name = "b") => read(post(`${base}/${name}`, settings, { method: "PUT" })),
    look: (query = "", name = "b") => read(call(`${base}/${name}${query}`)),
    used: async (usd: number, fields: object) => {
      const { reservation } = await limits.reserve({ amounts: { usd }, ...fields });
      await limits.settle({ reservation });
    },
  };
}

describe("spending budgets", () => {
  it("refuse what belongs to an agent whose day is used up, tell of it twice, and let others go on", async () => {
    vi.useFakeTimers({ toFake: ["Date"], now: NOON });
    const { put, set, look, reserve, used, signals, attention, pass } = budgetsOf();
    await put({ concurrency: 50 });
    await set({ scope: "agent", match: "coder-*", usd: 3, zone: "Europe/Berlin" });
    await used(2, { agent: "coder-1" });
    expect((await attention()).items).toMatchObject([
      { kind: "budget_notice", severity: "info", subject: "coder-1", why: "2 of 3 US dollars are used" },
    ]);
    expect(await reserve({ amounts: { usd: 1.5 }, agent: "coder-1" })).toMatchObject({
      granted: false,
      why: "budget",
      budget: "b",
      closed_until: "2026-01-31T23:00:00.000Z",
      detail: "a budget has too little left: the budget b of the agent coder-1 is spent",
    });
    await used(1, { agent: "coder-1" });
    expect((await attention()).items).toMatchObject([
      { kind: "budget_spent", severity: "warning", subject: "coder-1" },
    ]);
    expect(await reserve({ agent: "coder-1", wait_ms: 0 })).toMatchObject({ granted: false, why: "budget" });
    expect(await reserve({ amounts: { usd: 3 }, agent: "coder-2" })).toMatchObject({ granted: true });
    expect(await reserve({ amounts: { usd: 30 }, agent: "ada" })).toMatchObject({ granted: true });
    expect(await look()).toMatchObject({
      subjects: 2,
      used: [
        { subject: "coder-1", state: "spent", usd: 3, held_usd: 0, until: "2026-01-31T23:00:00.000Z" },
        { subject: "coder-2", state: "open", usd: 0, held_usd: 3 },
      ],
    });
    expect((await look("?subject=coder-2")).used).toMatchObject([{ subject: "coder-2" }]);
    await pass(11 * 3_600_000);
    expect((await attention()).items).toEqual([]);
    expect(await reserve({ amounts: { usd: 3 }, agent: "coder-1" })).toMatchObject({ granted: true });
    expect(await signals("Q_BUDGET_*")).toMatchObject([
      { signal: "Q_BUDGET_NOTICE", facts: { budget: "b", scope: "agent", subject: "coder-1", used_usd: 2, usd: 3 } },
      { signal: "Q_BUDGET_SPENT", facts: { subject: "coder-1", until: "2026-01-31T23:00:00.000Z" } },
    ]);
  });

  it("go on where they are to, and only tell", async () => {
    const { put, set, used, reserve, signals, pass } = budgetsOf();
    await put({});
    await set({ scope: "ecosystem", usd: 1, at_end: "open" });
    await used(1, {});
    expect(await reserve({ amounts: { usd: 5 } })).toMatchObject({ granted: true });
    await pass(0);
    expect(await signals("Q_BUDGET_*")).toMatchObject([{ signal: "Q_BUDGET_SPENT", facts: { at_end: "open" } }]);
  });

  it("count tasks and chains for their life, over limits, evictions, late settlements and repeats", async () => {
    const { put, set, look, reserve, settle, stub } = budgetsOf();
    await put({});
    await put({}, "other");
    await set({ scope: "chain", tokens: 1_000, per: "life" });
    const held = await reserve({ amounts: { input_tokens: 600 }, chain: "c1" });
    await evictDurableObject(stub());
    const waits = await reserve({ amounts: { output_tokens: 500 }, chain: "c1" }, "other");
    expect(waits).toMatchObject({ granted: false, why: "budget" });
    expect(waits.final).toBeUndefined();
    await settle({ reservation: held.reservation, amounts: { input_tokens: 100, output_tokens: 50 } });
    await settle({ reservation: held.reservation, amounts: { input_tokens: 900 } });
    await settle({ reservation: "elsewhere", amounts: { output_tokens: 850 }, chain: "c1" }, "other");
    expect((await look()).used).toMatchObject([
      { subject: "c1", tokens: 1_000, held_tokens: 0, state: "spent", until: null },
    ]);
    expect(await reserve({ chain: "c1", wait_ms: 20_000 })).toMatchObject({
      granted: false,
      why: "budget",
      final: true,
    });
    expect(await reserve({ chain: "c2" })).toMatchObject({ granted: true });
  });

  it("let callers of others pass who wait for the same limit, and serve who waits when what is held comes back", async () => {
    const { put, set, reserve, settle } = budgetsOf();
    await put({ concurrency: 10 });
    await set({ scope: "agent", usd: 1 });
    const held = await reserve({ amounts: { usd: 1 }, agent: "ada" });
    const waiting = reserve({ amounts: { usd: 0.5 }, agent: "ada", wait_ms: 20_000 });
    expect(await reserve({ amounts: { usd: 0.5 }, agent: "bob", wait_ms: 20_000 })).toMatchObject({ granted: true });
    await settle({ reservation: held.reservation, amounts: { usd: 0.5 } });
    expect(await waiting).toMatchObject({ granted: true });
  });

  it("begin anew where they count others, open where they are raised, and end with their deletion", async () => {
    const { put, set, used, reserve, budgets, look, attention } = budgetsOf();
    await put({});
    await set({ scope: "agent", usd: 1 });
    await used(1, { agent: "ada", task: "t1" });
    expect(await reserve({ agent: "ada" })).toMatchObject({ why: "budget" });
    await set({ scope: "agent", usd: 10 });
    expect((await look()).used).toMatchObject([{ subject: "ada", state: "open", usd: 1 }]);
    expect((await attention()).items).toEqual([]);
    await set({ scope: "task", usd: 1 });
    expect(await look()).toMatchObject({ used: [], subjects: 0 });
    await used(1, { task: "t1" });
    expect(await reserve({ task: "t1" })).toMatchObject({ why: "budget" });
    expect((await call(`${budgets}/b`, { method: "DELETE" })).status).toBe(204);
    expect(await reserve({ task: "t1" })).toMatchObject({ granted: true });
    expect((await call(`${budgets}/b`, { method: "DELETE" })).status).toBe(404);
    expect((await call(`${budgets}/b`)).status).toBe(404);
  });

  it("say what is wrong with their settings", async () => {
    const { budgets } = budgetsOf();
    const wrong = await post(`${budgets}/b`, { scope: "team", zone: "Mars/Base" }, { method: "PUT" });
    expect([wrong.status, (await problemOf(wrong)).errors?.map(({ pointer }) => pointer)]).toEqual([
      422,
      ["/scope", "/zone"],
    ]);
    const empty = await post(`${budgets}/b`, { scope: "agent" }, { method: "PUT" });
    expect((await problemOf(empty)).errors).toMatchObject([
      { pointer: "/tokens", message: "a budget has tokens, usd or both: give one of them" },
    ]);
  });
});
