import { BudgetPage, SpendingBudget } from "../core/limits/budgets/api.ts";
import type { BudgetInput } from "../core/limits/budgets/settings.ts";
import { NoAnswer } from "./answers/no-answer.ts";
import type { CallEdge } from "./http/request.ts";

interface Calls {
  readonly call: CallEdge;
  readonly inside: (path: string) => string;
}

/** Calls about what each agent, task or chain may use of the limits, or all together. */
export function budgetCalls({ call, inside }: Calls) {
  const at = (name: string) => inside(`/budgets/${encodeURIComponent(name)}`);
  return {
    /** All budgets, by name, with who has used most of each. */
    list: async () => (await call(BudgetPage, { path: inside("/budgets") })).budgets,
    /** @param subject - the agent, task or chain of which it is asked; absent: the furthest used ones */
    show: (name: string, subject?: string) => call(SpendingBudget, { path: at(name), query: { subject } }),
    /** Makes the budget, or replaces its settings; what was used stays, unless `scope` or `per` is another. */
    put: (name: string, settings: BudgetInput) =>
      call(SpendingBudget, { method: "PUT", path: at(name), body: settings }),
    remove: (name: string) => call(NoAnswer, { method: "DELETE", path: at(name) }),
  };
}
