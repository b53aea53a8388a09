import * as z from "zod";
import { Account } from "../../core/billing/api.ts";
import { Budget } from "../../core/billing/budget.ts";
import { EcosystemStatus } from "../../core/deployment/api.ts";
import { ProjectionStatus } from "../../core/projection/api.ts";
import { LogStatus } from "../../core/signals/api.ts";

/** An older edge says neither how far a projection is behind nor how large it is. */
const AnyProjection = ProjectionStatus.partial({
  database_bytes: true,
  heap: true,
  lag: true,
  oldest_undelivered_at: true,
});

/** An older edge counts neither unknown frames nor bytes, and tells nothing of policies, quotas and projections. */
export const AnyStatus = EcosystemStatus.extend({
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

export const EcosystemAccount = Account.extend({ ecosystem: z.string(), budget: Budget.optional() });
