import { createRoute, z } from "@hono/zod-openapi";
import { PRICES, priceOf } from "../../core/billing/prices.ts";
import { NO_USAGE, sumUsage } from "../../core/billing/usage.ts";
import {
  agentRegistry,
  directory,
  observationCache,
  policyState,
  priorityQueue,
  signalLog,
  workerBoard,
} from "./objects.ts";
import { EcosystemPath } from "./query.ts";
import { json, newApi, problems, secured } from "./route.ts";

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
      priority_queues: UsageSchema,
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
  const [signal_log, observation_cache, policy_state, agent_registry, worker_board, ...ofQueues] = await Promise.all([
    signalLog(c.env, eco).usage(),
    observationCache(c.env, eco).usage(),
    policyState(c.env, eco).usage(),
    agentRegistry(c.env, eco).usage(),
    workerBoard(c.env, eco).usage(),
    ...queues.map(({ name }) => priorityQueue(c.env, eco, name).usage()),
  ]);
  const priority_queues = ofQueues.reduce(sumUsage, NO_USAGE);
  const total = [observation_cache, policy_state, agent_registry, worker_board, priority_queues].reduce(
    sumUsage,
    signal_log,
  );
  return c.json(
    {
      ecosystem: eco,
      objects: { signal_log, observation_cache, policy_state, agent_registry, worker_board, priority_queues },
      total,
      list_price_usd: priceOf(total, 0),
      prices_usd_per_million: { ...PRICES },
    },
    200,
  );
});
