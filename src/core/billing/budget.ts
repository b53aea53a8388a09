import * as z from "zod";

/** Share of a budget from which on it is warned of. */
export const WARNED_AT = 0.8;
/** Above the budget the observations of one of so many spans of time are taken, each so long. */
const ONE_OF = 10;
const SPAN_MS = 10_000;

export const BudgetInput = z.strictObject({
  monthly_usd: z
    .number()
    .positive()
    .max(1_000_000)
    .nullable()
    .meta({ description: "US dollars a month (UTC); null: no budget", example: 20 }),
});
export type BudgetInput = Readonly<z.infer<typeof BudgetInput>>;

/** What the log of an ecosystem stores of its budget. */
export const StoredBudget = z.object({
  monthly_usd: z.number().nullable(),
  /** `2026-01`: the month to which the counts belong. */
  month: z.string(),
  spent_usd: z.number(),
  /** When what is spent was last counted in this month. */
  checked_ms: z.number().nullable(),
  /** The last month in which it was warned. */
  warned_month: z.string().nullable(),
  /** Observations that were left out in this month. */
  left_out: z.number(),
  /** When an observation was last left out. */
  left_out_ms: z.number().nullable(),
});
export type StoredBudget = Readonly<z.infer<typeof StoredBudget>>;

/** The budget of an ecosystem, and how far it is used. */
export const Budget = z.object({
  monthly_usd: BudgetInput.shape.monthly_usd,
  month: z.string().meta({ description: "The present month (UTC)", example: "2026-01" }),
  spent_usd: z.number().meta({ description: "US dollars spent in this month, when they were last counted" }),
  checked_at: z.iso.datetime().nullable().meta({ description: "When; null: not yet in this month" }),
  state: z
    .enum(["none", "within", "warned", "exceeded"])
    .meta({ description: "none: there is no budget; warned: 80 % are used; exceeded: observations are sampled" }),
  observations: z
    .object({
      taken_one_of: z.int().meta({ description: "1: all are taken; 10: those of one in ten spans of ten seconds" }),
      left_out: z.int().meta({ description: "Observations that were left out in this month" }),
    })
    .meta({ description: "Observations give way above the budget. Other signals and tasks never do" }),
});
export type Budget = Readonly<z.infer<typeof Budget>>;

const monthOf = (nowMs: number) => new Date(nowMs).toISOString().slice(0, 7);

export const newBudget = (nowMs: number): StoredBudget => ({
  monthly_usd: null,
  month: monthOf(nowMs),
  spent_usd: 0,
  checked_ms: null,
  warned_month: null,
  left_out: 0,
  left_out_ms: null,
});

/** A month begins with nothing spent. A clock that is set back begins none. */
export function inMonth(budget: StoredBudget, nowMs: number): StoredBudget {
  const month = monthOf(nowMs);
  if (month <= budget.month) return budget;
  return { ...budget, month, spent_usd: 0, checked_ms: null, left_out: 0 };
}

/** @returns also whether it must be warned now, which happens once a month */
export function withSpent(
  budget: StoredBudget,
  spentUsd: number,
  nowMs: number,
): { budget: StoredBudget; warn: boolean } {
  const present = inMonth(budget, nowMs);
  // What was counted in the month before comes too late.
  if (monthOf(nowMs) < present.month) return { budget: present, warn: false };
  const counted = { ...present, spent_usd: spentUsd, checked_ms: nowMs };
  const state = stateOf(counted);
  return {
    budget: counted,
    warn: (state === "warned" || state === "exceeded") && counted.warned_month !== counted.month,
  };
}

function stateOf({ monthly_usd, spent_usd }: StoredBudget): Budget["state"] {
  if (monthly_usd === null) return "none";
  if (spent_usd > monthly_usd) return "exceeded";
  return spent_usd >= monthly_usd * WARNED_AT ? "warned" : "within";
}

/**
 * Whether observations that come now are left out. Whole spans of time are, for all hosts alike: each append that holds
 * nothing else then costs no row, and the scanners see what belongs together. One span of each ten is taken, at a place
 * that follows no rhythm, so that a host that measures itself once a minute is seen as often as others.
 */
export function leavesOut(budget: StoredBudget, nowMs: number): boolean {
  if (stateOf(inMonth(budget, nowMs)) !== "exceeded") return false;
  const span = Math.floor(nowMs / SPAN_MS);
  return span % ONE_OF !== scattered(Math.floor(span / ONE_OF)) % ONE_OF;
}

export function budgetView(stored: StoredBudget, nowMs: number): Budget {
  const { monthly_usd, month, spent_usd, checked_ms, left_out, ...budget } = inMonth(stored, nowMs);
  const state = stateOf({ monthly_usd, month, spent_usd, checked_ms, left_out, ...budget });
  return {
    monthly_usd,
    month,
    spent_usd,
    checked_at: checked_ms === null ? null : new Date(checked_ms).toISOString(),
    state,
    observations: { taken_one_of: state === "exceeded" ? ONE_OF : 1, left_out },
  };
}

/** A number that looks like chance, the same for the same number. */
function scattered(number: number): number {
  let hash = Math.imul(number ^ (number >>> 16), 0x45d9f3b);
  hash = Math.imul(hash ^ (hash >>> 16), 0x45d9f3b);
  return (hash ^ (hash >>> 16)) >>> 0;
}
