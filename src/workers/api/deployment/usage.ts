import { createRoute, z } from "@hono/zod-openapi";
import { PRICES, priceOf } from "../../../core/billing/prices.ts";
import { NO_USAGE, sumUsage, type Usage } from "../../../core/billing/usage.ts";
import {
  agentRegistry,
  deadLetters,
  directory,
  models,
  observationCache,
  policyState,
  priorityQueue,
  signalLog,
  webhooks,
  workerBoard,
} from "../http/objects.ts";
import { EcosystemPath } from "../http/query.ts";
import { json, newApi, problems, secured } from "../http/route.ts";

const count = z.number().int().nonnegative();

const UsageSchema = z
  .object({
    rows_written: count,
    rows_read: count,
    requests: count,
    socket_messages: count,
    queue_operations: count,
    queue_messages: count,
  })
  .openapi("Usage", { description: "What an object has used of what Cloudflare bills, since it was last woken" });

const EcosystemUsageSchema = z
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
      priority_queues: UsageSchema.openapi({ description: "All queues of the ecosystem together" }),
    }),
    total: UsageSchema,
    list_price_usd: z
      .number()
      .openapi({ description: "At list prices; requests that the Worker itself answered come on top" }),
    prices_usd_per_million: z.record(z.string(), z.number()),
  })
  .openapi("EcosystemUsage");

const getUsage = createRoute({
  method: "get",
  path: "/v1/{eco}/usage",
  operationId: "getUsage",
  summary: "What an ecosystem uses of what is billed",
  tags: ["operation"],
  ...secured("signals:read"),
  request: { params: EcosystemPath },
  responses: { 200: json(EcosystemUsageSchema, "Counted since each object was last woken"), ...problems() },
});

export const usage = newApi().openapi(getUsage, async (c) => {
  const { eco } = c.req.valid("param");
  const queues = await directory(c.env).queues(eco);
  const log = { signal_log: signalLog, observation_cache: observationCache, policy_state: policyState };
  const each = {
    ...log,
    agent_registry: agentRegistry,
    worker_board: workerBoard,
    webhooks,
    dead_letters: deadLetters,
    models,
  };
  const [ofQueues, ...found] = await Promise.all([
    Promise.all(queues.map(({ name }) => priorityQueue(c.env, eco, name).usage())),
    ...Object.entries(each).map(async ([name, object]) => [name, await object(c.env, eco).usage()] as const),
  ]);
  const priority_queues = ofQueues.reduce(sumUsage, NO_USAGE);
  const objects = Object.fromEntries(found) as Record<keyof typeof each, Usage>;
  const total = Object.values(objects).reduce(sumUsage, priority_queues);
  return c.json(
    {
      ecosystem: eco,
      objects: { ...objects, priority_queues },
      total,
      list_price_usd: priceOf(total, 0),
      prices_usd_per_million: { ...PRICES },
    },
    200,
  );
});
