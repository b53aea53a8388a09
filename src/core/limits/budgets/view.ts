import { formatTimestamp } from "../../signals/timestamp.ts";
import { usdOf } from "../amounts.ts";
import { dayAt } from "../days.ts";
import type { BudgetFinding, BudgetUse, SpendingBudget } from "./api.ts";
import type { Counter } from "./counter.ts";
import type { BudgetSettings } from "./settings.ts";

/** The day by which a budget counts now; 0: for life. */
export const budgetDayAt = ({ per, zone }: BudgetSettings, nowMs: number): number =>
  per === "life" ? 0 : dayAt(nowMs, zone);

export interface StoredBudget {
  readonly name: string;
  readonly settings: BudgetSettings;
  /** Its counters. */
  counters: number;
  readonly createdMs: number;
  changedMs: number;
}

export function budgetView(
  { name, settings, counters, createdMs, changedMs }: StoredBudget,
  used: readonly Counter[],
): SpendingBudget {
  return {
    name,
    ...settings,
    used: used.map((counter) => useOf(settings, counter)),
    subjects: counters,
    created_at: formatTimestamp(createdMs),
    changed_at: formatTimestamp(changedMs),
  };
}

function useOf({ scope }: BudgetSettings, counter: Counter): BudgetUse {
  const { subject, level, tokens, nanos, heldTokens, heldNanos, untilMs } = counter;
  return {
    subject: scope === "ecosystem" ? null : subject,
    state: level,
    tokens,
    usd: usdOf(nanos),
    held_tokens: heldTokens,
    held_usd: usdOf(heldNanos),
    until: untilMs === null ? null : formatTimestamp(untilMs),
  };
}

export function budgetFinding(settings: BudgetSettings, counter: Counter): BudgetFinding {
  const { budget, subject, level, sinceMs, untilMs, signal, tokens, nanos } = counter;
  const parts = [
    ...(settings.tokens === undefined ? [] : [`${tokens} of ${settings.tokens} tokens`]),
    ...(settings.usd === undefined ? [] : [`${usdOf(nanos)} of ${settings.usd} US dollars`]),
  ];
  return {
    budget,
    scope: settings.scope,
    subject,
    spent: level === "spent",
    at_end: settings.at_end,
    used: parts.join(", "),
    since: formatTimestamp(sinceMs),
    until: untilMs === null ? null : formatTimestamp(untilMs),
    signal,
  };
}
