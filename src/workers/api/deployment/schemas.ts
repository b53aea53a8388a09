import { z } from "@hono/zod-openapi";
import { Account, Bill } from "../../../core/billing/api.ts";
import { Budget } from "../../../core/billing/budget.ts";
import { Usage } from "../../../core/billing/usage.ts";
import { EcosystemStatus } from "../../../core/deployment/api.ts";
import { named } from "../http/schema-parts.ts";

export const StatusSchema = named("Status", EcosystemStatus);

const UsageSchema = named(
  "Usage",
  Usage.describe("How much an object has used of the units that Cloudflare bills, since it last woke"),
);
const BillSchema = named("Bill", Bill);
export const BudgetSchema = named("Budget", Budget);
export const EcosystemUsageSchema = z
  .object({
    ecosystem: z.string(),
    objects: z.object({
      signal_log: UsageSchema,
      observation_cache: UsageSchema,
      policy_state: UsageSchema,
      agent_registry: UsageSchema,
      worker_board: UsageSchema,
      webhooks: UsageSchema,
      dead_letters: UsageSchema,
      models: UsageSchema,
      intelligence: UsageSchema,
      audit_log: UsageSchema,
      telemetry: UsageSchema,
      idempotency_keys: UsageSchema,
      schedules: UsageSchema,
      notes: UsageSchema,
      questions: UsageSchema,
      locks: UsageSchema,
      limits: UsageSchema,
      queue_lobby: UsageSchema,
      link_relays: UsageSchema.openapi({ description: "All relays of the ecosystem's links together" }),
      priority_queues: UsageSchema.openapi({ description: "All queues of the ecosystem together" }),
      directory: UsageSchema.openapi({ description: "The directory, which all ecosystems share" }),
    }),
    total: UsageSchema,
    list_price_usd: z
      .number()
      .openapi({ description: "At list prices, without the requests that the Worker itself answered" }),
    prices_usd_per_million: z.record(z.string(), z.number()),
    ...Account.shape,
    today: BillSchema,
    month: BillSchema,
    forecast: BillSchema,
    budget: BudgetSchema.optional().openapi({ description: "The budget of the ecosystem; absent: there is none" }),
  })
  .openapi("EcosystemUsage");
