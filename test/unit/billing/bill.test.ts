import { describe, expect, it } from "vitest";
import { accountOf, amountsOf, monthlyBill } from "../../../src/core/billing/bill.ts";
import { INCLUDED, LINES, UNIT_PRICES } from "../../../src/core/billing/prices.ts";
import { NO_USAGE, type Usage } from "../../../src/core/billing/usage.ts";
import type { DayUsage } from "../../../src/core/billing/usage-days.ts";

const MS = (text: string) => Date.parse(text);
const used = (usage: Partial<Usage>): Usage => ({ ...NO_USAGE, ...usage });
const on = (day: string, usage: Partial<Usage>, from = `${day}T00:00:00Z`): DayUsage => ({
  day,
  from_ms: MS(from),
  usage: used(usage),
});

describe("the amounts that Cloudflare bills", () => {
  it("count twenty messages of sockets as one request", () => {
    expect(amountsOf(used({ requests: 3, socket_messages: 50 }), 0).object_requests).toBe(5.5);
  });

  it("count each message of the queue as a request of the Worker, beside those that it answered", () => {
    expect(amountsOf(used({ worker_requests: 4, queue_messages: 3 }), 0).worker_requests).toBe(7);
  });

  it("are 331,776 GB-s for an object that is open for thirty days", () => {
    expect(amountsOf(used({ open_ms: 30 * 86_400_000 }), 0).duration).toBeCloseTo(331_776, 5);
  });
});

describe("a bill of a month", () => {
  it("is the plan alone where everything is included", () => {
    expect(monthlyBill(INCLUDED.paid.amounts, "paid").usd).toBe(5);
  });

  it("asks the list price for what exceeds the plan, line by line", () => {
    for (const line of LINES) {
      const amounts = { ...INCLUDED.paid.amounts, [line]: INCLUDED.paid.amounts[line] + 1_000_000 };
      expect(monthlyBill(amounts, "paid").usd).toBeCloseTo(5 + UNIT_PRICES[line] * 1_000_000, 6);
    }
  });

  it("is nothing on the free plan, which refuses what exceeds it", () => {
    expect(monthlyBill({ ...INCLUDED.paid.amounts, rows_written: 1e9 }, "free").usd).toBe(0);
  });
});

describe("the account of an ecosystem", () => {
  const NOON = MS("2026-04-11T12:00:00Z");

  it("leaves out days of other months, and tells today from the month", () => {
    const days = [
      on("2026-03-31", { rows_written: 1_000 }),
      on("2026-04-01", { rows_written: 20 }),
      on("2026-04-11", { rows_written: 3 }),
    ];
    const account = accountOf(days, 0, "paid", NOON);
    expect(account.today.lines.rows_written.used).toBe(3);
    expect(account.month.lines.rows_written.used).toBe(23);
    expect(account.month.from).toBe("2026-04-01T00:00:00.000Z");
  });

  it("forecasts that the month goes on as it was counted so far", () => {
    // Ten days and a half of thirty are over.
    const { forecast } = accountOf([on("2026-04-01", { rows_written: 2_100 })], 0, "paid", NOON);
    expect(forecast.lines.rows_written.used).toBeCloseTo(6_000, 6);
    expect(forecast.until).toBe("2026-05-01T00:00:00.000Z");
  });

  it("forecasts from when counting began, where that was within the month", () => {
    const { forecast } = accountOf([on("2026-04-11", { requests: 12 }, "2026-04-11T00:00:00Z")], 0, "paid", NOON);
    expect(forecast.lines.object_requests.used).toBeCloseTo(12 + 19.5 * 24, 6);
  });

  it("takes the storage of now for the whole month", () => {
    const { month, forecast, today } = accountOf([], 7e9, "paid", NOON);
    expect(month.lines.storage).toMatchObject({ used: 7, usd: 0.4 });
    expect(forecast.lines.storage.usd).toBeCloseTo(0.4, 9);
    expect(today.lines.storage.list_usd).toBeCloseTo(1.4 / 30, 9);
  });

  it("says what is left of the month on the paid plan, and of the day on the free one", () => {
    const days = [on("2026-04-02", { rows_written: 90_000 }), on("2026-04-11", { rows_written: 40_000 })];
    const paid = accountOf(days, 0, "paid", NOON).allowances;
    expect(paid).toMatchObject({ per: "month", resets_at: "2026-05-01T00:00:00.000Z" });
    expect(paid.lines.rows_written).toEqual({ included: 50e6, used: 130_000, left: 50e6 - 130_000 });
    const free = accountOf(days, 0, "free", NOON).allowances;
    expect(free).toMatchObject({ per: "day", resets_at: "2026-04-12T00:00:00.000Z" });
    expect(free.lines.rows_written).toEqual({ included: 100_000, used: 40_000, left: 60_000 });
    expect(free.lines.worker_cpu).toMatchObject({ included: null, left: null });
  });

  it("has nothing left where more was used than is included", () => {
    const { lines } = accountOf([on("2026-04-11", { queue_operations: 20_000 })], 0, "free", NOON).allowances;
    expect(lines.queue_operations.left).toBe(0);
  });
});
