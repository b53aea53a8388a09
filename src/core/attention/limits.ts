import type { LimitFinding } from "../limits/api.ts";
import type { BudgetFinding } from "../limits/budgets/api.ts";
import { ownerText } from "../limits/signals.ts";
import type { EcosystemState } from "./ecosystem-state.ts";
import { type Finding, look } from "./finding.ts";

/** What needs somebody of limits that are closed, and of budgets that are used to two thirds or wholly. */
export function limitFindings({ limits, spending, queues, ecosystem }: EcosystemState): Finding[] {
  const closed = queues.flatMap(({ closed_limits = [] }) => closed_limits);
  return [
    ...(limits ?? []).map((found) => {
      const parked = closed.reduce((sum, one) => sum + (one.limit === found.limit ? (one.parked ?? 0) : 0), 0);
      return findingOf(found, parked, ecosystem);
    }),
    ...(spending ?? []).map((found) => budgetFinding(found, ecosystem)),
  ];
}

function findingOf({ limit, until, since, reason, signal }: LimitFinding, parked: number, ecosystem: string): Finding {
  const waiting =
    parked === 0 ? "tasks that name it are parked" : `${parked === 1 ? "1 task is" : `${parked} tasks are`} parked`;
  return {
    id: `limit_closed/${limit}`,
    kind: "limit_closed",
    severity: "warning",
    subject: limit,
    what: `the limit ${limit} is closed until ${until}`,
    why: reason,
    since,
    consequence: `nobody is granted anything of it, and ${waiting} until then`,
    next_step: `ganglion limits show ${limit}`,
    action: look("Show the limit", ecosystem, `/limits/${encodeURIComponent(limit)}`),
    chain: signal,
    explainedBy: [],
  };
}

function budgetFinding(found: BudgetFinding, ecosystem: string): Finding {
  const { budget, scope, subject, spent, at_end, used, since, until, signal } = found;
  const whose = ownerText(scope, subject);
  const again = until === null ? "until it is raised" : `until ${until}`;
  const then = at_end === "open" ? "it goes on: the budget only tells" : `nothing more is granted to it ${again}`;
  const id = scope === "ecosystem" ? budget : `${budget}/${subject}`;
  return {
    id: `budget_${spent ? "spent" : "notice"}/${id}`,
    kind: spent ? "budget_spent" : "budget_notice",
    severity: spent ? "warning" : "info",
    subject: scope === "ecosystem" ? budget : subject,
    what: spent
      ? `the budget ${budget} of ${whose} is spent`
      : `two thirds of the budget ${budget} of ${whose} are used`,
    why: `${used} are used`,
    since,
    consequence: spent ? then : `at its end ${then}`,
    next_step: `ganglion limits budgets show ${budget}`,
    action: look("Show the budget", ecosystem, `/budgets/${encodeURIComponent(budget)}`),
    chain: signal,
    explainedBy: [],
  };
}
