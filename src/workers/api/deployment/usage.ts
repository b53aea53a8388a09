import { createRoute } from "@hono/zod-openapi";
import { PRICES, priceOf } from "../../../core/billing/prices.ts";
import { NO_USAGE, sumUsage } from "../../../core/billing/usage.ts";
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
} from "../../bindings/objects.ts";
import { EcosystemPath } from "../http/query.ts";
import { json, newApi, problems, secured } from "../http/route.ts";
import { EcosystemUsageSchema } from "./schemas.ts";

const getUsage = createRoute({
  method: "get",
  path: "/v1/{eco}/usage",
  operationId: "getUsage",
  summary: "How much of the billed units an ecosystem uses",
  tags: ["operation"],
  ...secured("signals:read"),
  request: { params: EcosystemPath },
  responses: { 200: json(EcosystemUsageSchema, "Counted since each object last woke"), ...problems() },
});

export const usage = newApi().openapi(getUsage, async (c) => {
  const { eco } = c.req.valid("param");
  const queues = await directory(c.env).queues(eco);
  const [
    signal_log,
    observation_cache,
    policy_state,
    agent_registry,
    worker_board,
    of_webhooks,
    dead_letters,
    of_models,
  ] = await Promise.all([
    signalLog(c.env, eco).usage(),
    observationCache(c.env, eco).usage(),
    policyState(c.env, eco).usage(),
    agentRegistry(c.env, eco).usage(),
    workerBoard(c.env, eco).usage(),
    webhooks(c.env, eco).usage(),
    deadLetters(c.env, eco).usage(),
    models(c.env, eco).usage(),
  ]);
  const ofQueues = await Promise.all(queues.map(({ name }) => priorityQueue(c.env, eco, name).usage()));
  const objects = {
    signal_log,
    observation_cache,
    policy_state,
    agent_registry,
    worker_board,
    webhooks: of_webhooks,
    dead_letters,
    models: of_models,
    priority_queues: ofQueues.reduce(sumUsage, NO_USAGE),
  };
  const total = Object.values(objects).reduce(sumUsage, NO_USAGE);
  return c.json(
    { ecosystem: eco, objects, total, list_price_usd: priceOf(total, 0), prices_usd_per_million: { ...PRICES } },
    200,
  );
});
