import { describe, expect, it } from "vitest";
import {
  budgetView,
  inMonth,
  leavesOut,
  newBudget,
  type StoredBudget,
  withSpent,
} from "../../../src/core/billing/budget.ts";

const NOVEMBER = Date.parse("2026-11-30T23:59:50.000Z");
const DECEMBER = Date.parse("2026-12-01T00:00:00.000Z");

const budgetOf = (usd: number | null): StoredBudget => ({ ...newBudget(NOVEMBER), monthly_usd: usd });
const spent = (budget: StoredBudget, usd: number, nowMs = NOVEMBER) => withSpent(budget, usd, nowMs);
const stateAt = (budget: StoredBudget, nowMs: number) => budgetView(budget, nowMs).state;

/** Share of the time in which observations are left out. */
function shareLeftOut(budget: StoredBudget, fromMs: number, spans: number): number {
  let left = 0;
  for (let span = 0; span < spans; span++) if (leavesOut(budget, fromMs + span * 10_000)) left++;
  return left / spans;
}

describe("a monthly budget", () => {
  it("is warned of at 80 %, and exceeded above 100 %", () => {
    const states = [79, 80, 100, 100.01].map((usd) => stateAt(spent(budgetOf(100), usd).budget, NOVEMBER));
    expect(states).toEqual(["within", "warned", "warned", "exceeded"]);
  });

  it("is warned of once a month, also where it is exceeded at once", () => {
    const first = spent(budgetOf(10), 30);
    expect(first.warn).toBe(true);
    const told: StoredBudget = { ...first.budget, warned_month: first.budget.month };
    expect(spent(told, 31).warn).toBe(false);
    expect(spent(told, 9, DECEMBER).warn).toBe(true);
  });

  it("begins anew at the month's turn, before anything was counted", () => {
    const { budget } = spent({ ...budgetOf(10), left_out: 7 }, 30);
    expect(stateAt(budget, DECEMBER - 1)).toBe("exceeded");
    expect(budgetView(budget, DECEMBER)).toMatchObject({
      month: "2026-12",
      spent_usd: 0,
      checked_at: null,
      state: "within",
      observations: { taken_one_of: 1, left_out: 0 },
    });
    expect(shareLeftOut(budget, DECEMBER, 1_000)).toBe(0);
  });

  it("takes no count of the month before, and begins none where the clock is set back", () => {
    const { budget } = spent(inMonth(budgetOf(10), DECEMBER), 1, DECEMBER);
    expect(spent(budget, 30, NOVEMBER)).toEqual({ budget, warn: false });
    expect(inMonth(budget, NOVEMBER)).toEqual(budget);
  });

  it("follows a change of the amount at once", () => {
    const { budget } = spent(budgetOf(10), 30);
    expect(stateAt({ ...budget, monthly_usd: 100 }, NOVEMBER)).toBe("within");
    expect(stateAt({ ...budget, monthly_usd: null }, NOVEMBER)).toBe("none");
  });
});

describe("observations above the budget", () => {
  const { budget } = spent(budgetOf(10), 30, DECEMBER);

  it("are taken in one of ten spans of time", () => {
    expect(shareLeftOut(budget, DECEMBER, 100_000)).toBe(0.9);
  });

  it("are taken of each host within minutes, whatever rhythm it has", () => {
    for (const everyMs of [5_000, 60_000, 100_000]) {
      for (let phaseMs = 0; phaseMs < everyMs; phaseMs += 5_000) {
        let taken = 0;
        for (let atMs = DECEMBER + phaseMs; atMs < DECEMBER + 86_400_000; atMs += everyMs)
          if (!leavesOut(budget, atMs)) taken++;
        const share = taken / (86_400_000 / everyMs);
        expect([everyMs, phaseMs, share > 0.05 && share < 0.15]).toEqual([everyMs, phaseMs, true]);
      }
    }
  });

  it("are all taken without a budget, and within it", () => {
    expect(shareLeftOut(budgetOf(null), DECEMBER, 1_000)).toBe(0);
    expect(shareLeftOut(spent(budgetOf(10), 10, DECEMBER).budget, DECEMBER, 1_000)).toBe(0);
  });
});
