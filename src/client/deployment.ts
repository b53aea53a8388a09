import * as z from "zod";
import { Account } from "../core/billing/api.ts";
import { Budget, type BudgetInput } from "../core/billing/budget.ts";
import { EcosystemStatus, Ready } from "../core/deployment/api.ts";
import { Overview } from "../core/overview/api.ts";
import { ProjectionStatus } from "../core/projection/api.ts";
import { LogStatus } from "../core/signals/api.ts";
import type { CallEdge } from "./http/request.ts";

interface Calls {
  readonly call: CallEdge;
  readonly inside: (path: string) => string;
}

/** An older edge says neither how far a projection is behind nor how large it is. */
const AnyProjection = ProjectionStatus.partial({
  database_bytes: true,
  heap: true,
  lag: true,
  oldest_undelivered_at: true,
});

/** An older edge counts neither unknown frames nor bytes, and tells nothing of policies, quotas and projections. */
const AnyStatus = EcosystemStatus.extend({
  log: LogStatus.extend({
    unknown_frames: LogStatus.shape.unknown_frames.default(0),
    bytes_in_flight: LogStatus.shape.bytes_in_flight.default(0),
    database_bytes: LogStatus.shape.database_bytes.default(0),
    heap: LogStatus.shape.heap.default([]),
    limit_bytes: LogStatus.shape.limit_bytes.default(0),
    dropped_for_size: LogStatus.shape.dropped_for_size.default(0),
  }),
  policies: EcosystemStatus.shape.policies.optional(),
  over_quota: EcosystemStatus.shape.over_quota.optional(),
  projections: z.record(z.string(), AnyProjection).optional(),
});

const EcosystemAccount = Account.extend({ ecosystem: z.string(), budget: Budget.optional() });

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
