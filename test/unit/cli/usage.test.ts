import { describe, expect, it } from "vitest";
import { accountOf } from "../../../src/core/billing/bill.ts";
import { budgetView, newBudget, withSpent } from "../../../src/core/billing/budget.ts";
import { NO_USAGE } from "../../../src/core/billing/usage.ts";
import { startEdge } from "./fake-edge.ts";
import { ganglion } from "./ganglion.ts";

const NOON = Date.parse("2026-04-11T12:00:00Z");
const usage = { ...NO_USAGE, rows_written: 60_000_000, socket_messages: 400, worker_requests: 1_234 };
const day = { day: "2026-04-11", from_ms: Date.parse("2026-04-11T00:00:00Z"), usage };
const answer = (plan: "paid" | "free") => ({ ecosystem: "default", ...accountOf([day], 6e9, plan, NOON) });

const exceeded = budgetView(
  { ...withSpent({ ...newBudget(NOON), monthly_usd: 20 }, 21.5, NOON).budget, left_out: 7 },
  NOON,
);

describe("ganglion budget", () => {
  it("sets US dollars a month, and shows what is spent of them and what gave way", async () => {
    const edge = await startEdge(() => [200, exceeded]);
    const { code, out } = await ganglion(["budget", "20", "--url", edge.url]);
    expect([code, edge.received[0]?.method, edge.received[0]?.url.pathname]).toEqual([0, "PUT", "/v1/default/budget"]);
    expect(edge.received[0]?.body).toEqual({ monthly_usd: 20 });
    expect(out).toContain("$21.50 of $20 spent in 2026-04: exceeded, observations are sampled");
    expect(out).toMatch(/observations left out +7 this month; one of 10 is taken/);
  });

  it("is taken away by `off`, and shown without an amount", async () => {
    const edge = await startEdge(() => [200, budgetView(newBudget(NOON), NOON)]);
    await ganglion(["budget", "off", "--url", edge.url]);
    const { out } = await ganglion(["budget", "--url", edge.url]);
    expect(edge.received.map(({ method }) => method)).toEqual(["PUT", "GET"]);
    expect(edge.received[0]?.body).toEqual({ monthly_usd: null });
    expect(out).toMatch(/budget +none/);
  });

  it.each(["0", "-1", "much", "1e9"])("refuses %s", async (usd) => {
    const { code, err } = await ganglion(["budget", "--url", "http://127.0.0.1:1", "--", usd]);
    expect([code, err]).toEqual([2, expect.stringContaining("give US dollars a month")]);
  });
});

describe("ganglion usage", () => {
  it("shows the budget of the ecosystem, if it has one", async () => {
    const edge = await startEdge(() => [200, { ...answer("paid"), budget: exceeded }]);
    const { out } = await ganglion(["usage", "--url", edge.url]);
    expect(out).toMatch(/budget +\$21\.50 of \$20 spent/);
  });

  it("shows each line: today, the month, its forecast, what is included and left, and the price", async () => {
    const edge = await startEdge(() => [200, answer("paid")]);
    const { code, out } = await ganglion(["usage", "--url", edge.url]);
    expect(code).toBe(0);
    expect(edge.received[0]?.url.pathname).toBe("/v1/default/usage");
    const lines = out.split("\n").map((line) => line.split(/ {2,}/));
    expect(lines[0]).toEqual([
      ...["LINE", "UNIT", "TODAY", "MONTH", "FORECAST", "A MONTH", "LEFT", "MONTH $", "FORECAST $"],
    ]);
    const of = (title: string) => lines.find(([name]) => name === title);
    expect(of("rows written")).toEqual(["rows written", "rows", "60M", "60M", "2.4G", "50M", "0", "10.00", "2350.00"]);
    expect(of("Worker requests")?.slice(2, 4)).toEqual(["1.23k", "1.23k"]);
    expect(of("object requests")?.[3]).toBe("20");
    expect(of("storage")).toEqual(["storage", "GB", "6", "6", "6", "5", "0", "0.20", "0.20"]);
    expect(out).toMatch(/this month +\$15\.20 so far, \$2355\.20 at its end/);
  });

  it("says on the free plan what is left of the day", async () => {
    const edge = await startEdge(() => [200, answer("free")]);
    const { out } = await ganglion(["usage", "--url", edge.url]);
    expect(out).toContain("A DAY");
    expect(out).toContain("free: what exceeds it is refused");
  });

  it("prints one document for programs", async () => {
    const edge = await startEdge(() => [200, answer("paid")]);
    const { out } = await ganglion(["usage", "--json", "--url", edge.url]);
    expect(JSON.parse(out)).toEqual(JSON.parse(JSON.stringify(answer("paid"))));
  });
});
