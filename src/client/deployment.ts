import { Budget, type BudgetInput } from "../core/billing/budget.ts";
import { Ready } from "../core/deployment/api.ts";
import { Overview } from "../core/overview/api.ts";
import { AnyStatus, EcosystemAccount } from "./answers/deployment.ts";
import type { CallEdge } from "./http/request.ts";

interface Calls {
  readonly call: CallEdge;
  readonly inside: (path: string) => string;
}

/** Calls about the edge as a whole, and about an ecosystem as a whole. */
export function deploymentCalls({ call, inside }: Calls) {
  return {
    status: () => call(AnyStatus, { path: inside("/status") }),
    /** The ecosystem in one document, up to two seconds old. A browser asks with the tag of the answer that it has. */
    overview: (signal?: AbortSignal) => call(Overview, { path: inside("/overview"), signal }),
    /** What the ecosystem uses and costs, by day and month. An edge of an earlier version answers otherwise: UnreadableAnswer. */
    usage: () => call(EcosystemAccount, { path: inside("/usage") }),
    budget: () => call(Budget, { path: inside("/budget") }),
    /** @returns the budget as it is now, with what is spent of it */
    setBudget: (input: BudgetInput) => call(Budget, { path: inside("/budget"), method: "PUT", body: input }),
    /** @throws ApiProblem with the reason while the edge cannot serve calls */
    ready: () => call(Ready, { path: "/readyz" }),
  };
}
