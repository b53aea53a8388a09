import { evictDurableObject } from "cloudflare:test";
import { afterEach, describe, expect, it, vi } from "vitest";
import { call, post, problemOf } from "../api/calls.ts";
import { limitsOf } from "./limits-under-test.ts";

afterEach(() => {
  vi.useRealTimers();
});

const NOON = Date.UTC(2026, 0, 31, 12);

describe("limits", () => {
  it("grants what is left, and gives back what a settlement did not use", async () => {
    const { put, reserve, settle, show } = limitsOf();
    await put({ requests_per_minute: 2, input_tokens_per_minute: 1_000 });
    const first = await reserve({ amounts: { requests: 1, input_tokens: 800 } });
    expect(first).toMatchObject({ granted: true, reservation: expect.any(String) });
    expect(await reserve({ amounts: { input_tokens: 300 } })).toMatchObject({
      granted: false,
      why: "input_tokens_per_minute",
      closed_until: expect.any(String),
    });
    expect(await settle({ reservation: first.reservation, amounts: { input_tokens: 100 } })).toMatchObject({
      state: "settled",
    });
    expect(await show()).toMatchObject({ used: { requests: 1, input_tokens: 100 }, held: 0 });
    expect(await reserve({ amounts: { input_tokens: 900 } })).toMatchObject({ granted: true });
    expect(await reserve({ amounts: { input_tokens: 0 } })).toMatchObject({
      granted: false,
      why: "requests_per_minute",
    });
  });

  it("charges once what was used, also of a reservation that is settled again, has expired, or was never granted", async () => {
    const { put, reserve, settle, show, pass } = limitsOf();
    await put({ usd_per_day: 10, reservation_seconds: 60 });
    const { reservation } = await reserve({ amounts: { usd: 1 } });
    expect(await settle({ reservation, amounts: { usd: 3 } })).toMatchObject({ state: "settled" });
    expect(await settle({ reservation, amounts: { usd: 3 } })).toMatchObject({ state: "repeated" });
    expect(await show()).toMatchObject({ spent_usd: 3, held_usd: 0 });
    const late = await reserve({ amounts: { usd: 2 } });
    expect(await show()).toMatchObject({ held_usd: 2 });
    await pass(61_000);
    expect(await show()).toMatchObject({ spent_usd: 3, held_usd: 0, held: 0 });
    expect(await settle({ reservation: late.reservation, amounts: { usd: 1 } })).toMatchObject({ state: "expired" });
    expect(await settle({ reservation: late.reservation, amounts: { usd: 1 } })).toMatchObject({ state: "repeated" });
    expect(await settle({ reservation: "of-another-edge", amounts: { usd: 0.5 } })).toMatchObject({ state: "unknown" });
    expect(await settle({ reservation: "of-another-edge", amounts: { usd: 0.5 } })).toMatchObject({
      state: "repeated",
    });
    expect(await show()).toMatchObject({ spent_usd: 4.5 });
  });

  it("holds no more at a time than the concurrency, and keeps what is held when the object is evicted", async () => {
    const { put, reserve, settle, stub } = limitsOf();
    await put({ concurrency: 1 });
    const { reservation } = await reserve();
    await evictDurableObject(stub());
    expect(await reserve()).toMatchObject({ granted: false, why: "concurrency" });
    await settle({ reservation });
    expect(await reserve()).toMatchObject({ granted: true });
  });

  it("closes for all until the reset that one was told, then lets one try, then grows to the whole", async () => {
    vi.useFakeTimers({ toFake: ["Date"], now: NOON });
    const { put, reserve, settle, pass, show, signals, attention } = limitsOf();
    await put({ requests_per_minute: 100, ramp_seconds: 60 });
    const { reservation } = await reserve();
    const met = await settle({ reservation, outcome: { status: 429, retry_after_seconds: 120 } });
    expect(met.closed_until).toBeDefined();
    const refused = await reserve();
    expect(refused).toMatchObject({ granted: false, why: "closed", closed_until: met.closed_until });
    expect((await attention()).items).toMatchObject([{ kind: "limit_closed", subject: "api" }]);
    await pass(119_000);
    expect(await reserve()).toMatchObject({ granted: false, why: "closed" });
    await pass(1_000);
    expect(await show()).toMatchObject({ state: "probing", closed_until: null });
    const probe = await reserve();
    expect(probe.granted).toBe(true);
    expect(await reserve()).toMatchObject({ granted: false, why: "probing" });
    await settle({ reservation: probe.reservation });
    expect(await show()).toMatchObject({ state: "ramping" });
    const grants = async () => {
      let count = 0;
      while ((await reserve()).granted) count++;
      return count;
    };
    expect(await grants()).toBe(9);
    await pass(60_000);
    expect(await show()).toMatchObject({ state: "open" });
    expect(await signals("Q_LIMIT_*")).toMatchObject([
      { facts: { limit: "api", until: met.closed_until } },
      { facts: { limit: "api", closed_for_ms: 120_000 } },
    ]);
    expect((await attention()).items).toEqual([]);
  });

  it("is closed for the rest of the day when its dollars are spent", async () => {
    vi.useFakeTimers({ toFake: ["Date"], now: NOON });
    const { put, reserve, settle, show, pass } = limitsOf();
    await put({ usd_per_day: 1, zone: "Europe/Berlin" });
    const { reservation } = await reserve({ amounts: { usd: 0.7 } });
    expect(await reserve({ amounts: { usd: 0.4 } })).toMatchObject({ granted: false, why: "usd_per_day" });
    await settle({ reservation, amounts: { usd: 1.2 } });
    expect(await show()).toMatchObject({ state: "closed", closed_until: "2026-01-31T23:00:00.000Z" });
    await pass(11 * 3_600_000);
    expect(await reserve({ amounts: { usd: 0.4 } })).toMatchObject({ granted: true });
  });

  it("turns tokens into dollars by the prices of the model", async () => {
    const { put, reserve, settle, show } = limitsOf();
    await put({ usd_per_day: 100 });
    const { reservation } = await reserve({
      amounts: { input_tokens: 1_000_000, output_tokens: 1_000_000 },
      model: "anthropic/claude-sonnet-4-5",
    });
    expect(await show()).toMatchObject({ held_usd: 18 });
    await settle({ reservation, amounts: { input_tokens: 500_000, output_tokens: 100_000 } });
    expect(await show()).toMatchObject({ spent_usd: 3, held_usd: 0 });
  });

  it("lets callers wait in their order, and serves the first when something comes back", async () => {
    const { put, reserve, settle } = limitsOf();
    await put({ concurrency: 1 });
    const { reservation } = await reserve();
    const order: string[] = [];
    const wait = (name: string) =>
      reserve({ wait_ms: 20_000 }).then(async ({ granted, reservation: held }) => {
        order.push(`${name} ${granted}`);
        await settle({ reservation: held });
      });
    const first = wait("first");
    // The object has the first before the second is sent.
    await reserve();
    const second = wait("second");
    await reserve();
    await settle({ reservation });
    await Promise.all([first, second]);
    expect(order).toEqual(["first true", "second true"]);
  });

  it("gives a share to several calls, which count for the concurrency, and for a minute from its settlement on", async () => {
    vi.useFakeTimers({ toFake: ["Date"], now: NOON });
    const { put, reserve, settle, show, pass } = limitsOf();
    await put({ requests_per_minute: 10, concurrency: 4 });
    const share = { calls: 3, seconds: 10 };
    expect(await reserve({ amounts: { requests: 5 }, share: { calls: 5, seconds: 10 } })).toMatchObject({
      granted: false,
      why: "too_large",
      final: true,
    });
    const held = await reserve({ amounts: { requests: 8 }, share });
    expect(held).toMatchObject({ granted: true, expires_at: "2026-01-31T12:00:10.000Z" });
    expect(await reserve({ share: { calls: 2, seconds: 10 } })).toMatchObject({ granted: false, why: "concurrency" });
    await pass(9_000);
    await settle({ reservation: held.reservation, amounts: { requests: 6 } });
    expect(await show()).toMatchObject({ used: { requests: 6 }, held: 0 });
    await pass(55_000);
    expect(await show()).toMatchObject({ used: { requests: 6 } });
    await reserve({ amounts: { requests: 2 }, share });
    await pass(11_000);
    expect(await show()).toMatchObject({ used: { requests: 2 }, held: 0 });
  });

  it("says what is wrong with a limit, a reservation and a name", async () => {
    const { base, put, reserve, settle, remove, list } = limitsOf();
    await put({ concurrency: 5 }, "other");
    const wrong = await post(`${base}/api`, { requests_per_minute: 0, zone: "Mars/Base" }, { method: "PUT" });
    expect(wrong.status).toBe(422);
    expect((await problemOf(wrong)).errors?.map(({ pointer }) => pointer)).toEqual(["/requests_per_minute", "/zone"]);
    expect((await post(`${base}/api/reserve`, {})).status).toBe(404);
    expect((await call(`${base}/api`)).status).toBe(404);
    expect((await post(`${base}/other/reserve`, { amounts: { tokens: 1 } })).status).toBe(422);
    await put({ requests_per_minute: 5 });
    expect(await reserve({ amounts: { requests: 6 } })).toMatchObject({ granted: false, why: "too_large" });
    const { reservation } = await reserve();
    const elsewhere = await post(`${base}/other/settle`, { reservation });
    expect([elsewhere.status, (await problemOf(elsewhere)).detail]).toMatchObject([
      409,
      expect.stringContaining('"api"'),
    ]);
    expect(await settle({ reservation })).toMatchObject({ state: "settled" });
    expect((await list()).map(({ name }) => name)).toEqual(["api", "other"]);
    expect((await remove()).status).toBe(204);
    expect((await remove()).status).toBe(404);
  });
});
