import { formatTimestamp } from "../signals/timestamp.ts";
import { usdOf } from "./amounts.ts";
import type { Counter } from "./budgets/counter.ts";
import type { BudgetSettings } from "./budgets/settings.ts";
import type { Closed } from "./outcomes.ts";

/** Source of all signals about limits and budgets. */
export const LIMITS_SOURCE = "ganglion/limits";

export const closedSignal = (limit: string, { reason, untilMs }: Closed) => ({
  signal: "Q_LIMIT_CLOSED",
  source: LIMITS_SOURCE,
  facts: {
    limit,
    until: formatTimestamp(untilMs),
    reason,
    text: `${limit} is closed until ${formatTimestamp(untilMs)}: ${reason}`,
  },
});

export const openedSignal = (limit: string, closedForMs: number) => ({
  signal: "Q_LIMIT_OPENED",
  source: LIMITS_SOURCE,
  facts: { limit, closed_for_ms: Math.max(0, closedForMs), text: `${limit} is open again` },
});

/** Whose budget it is, for people. */
export const ownerText = (scope: BudgetSettings["scope"], subject: string): string =>
  scope === "ecosystem" ? "the ecosystem" : `the ${scope} ${subject}`;

/** A budget is used to two thirds (`noticed`), or wholly. */
export function budgetSignal(
  { scope, tokens, usd, per, at_end }: BudgetSettings,
  { budget, subject, level, tokens: usedTokens, nanos, untilMs }: Counter,
) {
  const whose = ownerText(scope, subject);
  const until = untilMs === null ? {} : { until: formatTimestamp(untilMs) };
  const then = at_end === "open" ? "it goes on" : "nothing more is granted";
  return {
    signal: level === "spent" ? "Q_BUDGET_SPENT" : "Q_BUDGET_NOTICE",
    source: LIMITS_SOURCE,
    facts: {
      budget,
      scope,
      ...(scope === "ecosystem" ? {} : { subject }),
      per,
      at_end,
      used_tokens: usedTokens,
      used_usd: usdOf(nanos),
      ...(tokens === undefined ? {} : { tokens }),
      ...(usd === undefined ? {} : { usd }),
      ...until,
      text:
        level === "spent"
          ? `the budget ${budget} of ${whose} is spent: ${then}`
          : `two thirds of the budget ${budget} of ${whose} are used`,
    },
  };
}
