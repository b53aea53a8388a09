import { createRoute } from "@hono/zod-openapi";
import { PRICES, priceOf } from "../../../core/billing/prices.ts";
import { NO_USAGE, sumUsage } from "../../../core/billing/usage.ts";
import type { ObjectUsage } from "../../../core/billing/usage-days.ts";
import { signalLog } from "../../bindings/objects.ts";
import { EcosystemPath } from "../http/query.ts";
import { json, newApi, problems, secured } from "../http/route.ts";
import { usageAndAccount } from "./account.ts";
import { EcosystemUsageSchema } from "./schemas.ts";

const getUsage = createRoute({
  method: "get",
  path: "/v1/{eco}/usage",
  operationId: "getUsage",
  summary: "How much of the billed units an ecosystem uses",
  description:
    "`objects`, `total` and `list_price_usd` are counted since each object last woke. `today`, `month`, `forecast` and " +
    "`allowances` are counted by day, on the objects' disks; they include the directory, which all ecosystems share.",
  tags: ["operation"],
  ...secured("signals:read"),
  request: { params: EcosystemPath },
  responses: { 200: json(EcosystemUsageSchema, "What is used, what it costs, and what is left"), ...problems() },
});

export const usage = newApi().openapi(getUsage, async (c) => {
  const { eco } = c.req.valid("param");
  const nowMs = Date.now();
  const [{ used: counted, account }, budget] = await Promise.all([
    usageAndAccount(c.env, eco, nowMs),
    signalLog(c.env, eco).budget(),
  ]);
  const { own, ofQueues, ofRelays, ofDirectory } = counted;
  const awake = ({ awake: used }: ObjectUsage) => used;
  const objects = {
    signal_log: awake(own.SignalLog),
    observation_cache: awake(own.ObservationCache),
    policy_state: awake(own.PolicyState),
    agent_registry: awake(own.AgentRegistry),
    worker_board: awake(own.WorkerBoard),
    webhooks: awake(own.Webhooks),
    dead_letters: awake(own.DeadLetters),
    models: awake(own.Models),
    intelligence: awake(own.Intelligence),
    audit_log: awake(own.AuditLog),
    telemetry: awake(own.Telemetry),
    idempotency_keys: awake(own.IdempotencyKeys),
    schedules: awake(own.Schedules),
    notes: awake(own.Notes),
    questions: awake(own.Questions),
    locks: awake(own.Locks),
    limits: awake(own.Limits),
    queue_lobby: awake(own.QueueLobby),
    link_relays: ofRelays.map(awake).reduce(sumUsage, NO_USAGE),
    priority_queues: ofQueues.map(awake).reduce(sumUsage, NO_USAGE),
    directory: awake(ofDirectory),
  };
  const total = Object.values(objects).reduce(sumUsage, NO_USAGE);
  return c.json(
    {
      ecosystem: eco,
      objects,
      total,
      list_price_usd: priceOf(total, 0),
      prices_usd_per_million: { ...PRICES },
      ...account,
      ...(budget.state === "none" ? {} : { budget }),
    },
    200,
  );
});
