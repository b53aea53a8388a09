import { createRoute } from "@hono/zod-openapi";
import { accountOf } from "../../../core/billing/bill.ts";
import { PRICES, priceOf } from "../../../core/billing/prices.ts";
import { NO_USAGE, sumUsage } from "../../../core/billing/usage.ts";
import { dayOf, type ObjectUsage } from "../../../core/billing/usage-days.ts";
import { planOf } from "../../../core/deployment/profile.ts";
import { ecosystemObjects } from "../../bindings/ecosystem-objects.ts";
import type { Environment } from "../../bindings/environment.ts";
import { directory, linkRelay, priorityQueue, signalLog } from "../../bindings/objects.ts";
import { EcosystemPath } from "../http/query.ts";
import { json, newApi, problems, secured } from "../http/route.ts";
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
  const { own, ofQueues, ofRelays, ofDirectory, ofWorker } = await usageOf(
    c.env,
    eco,
    `${dayOf(nowMs).slice(0, 7)}-01`,
  );
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
    queue_lobby: awake(own.QueueLobby),
    link_relays: ofRelays.map(awake).reduce(sumUsage, NO_USAGE),
    priority_queues: ofQueues.map(awake).reduce(sumUsage, NO_USAGE),
    directory: awake(ofDirectory),
  };
  const total = Object.values(objects).reduce(sumUsage, NO_USAGE);
  const counted = [...Object.values(own), ...ofQueues, ...ofRelays, ofDirectory];
  const days = [...counted.flatMap((one) => one.days), ...ofWorker];
  const bytes = counted.reduce((all, { storage_bytes }) => all + storage_bytes, 0);
  return c.json(
    {
      ecosystem: eco,
      objects,
      total,
      list_price_usd: priceOf(total, 0),
      prices_usd_per_million: { ...PRICES },
      ...accountOf(days, bytes, planOf(c.env), nowMs),
    },
    200,
  );
});

/** @param since - the first day */
async function usageOf(env: Environment, eco: string, since: string) {
  const shared = directory(env);
  const [queues, relays] = await Promise.all([shared.queues(eco), signalLog(env, eco).relays()]);
  const [own, ofQueues, ofRelays, ofDirectory, ofWorker] = await Promise.all([
    ofEach(ecosystemObjects(env, eco), since),
    Promise.all(queues.map(({ name }) => priorityQueue(env, eco, name).usageByDay(since))),
    Promise.all(relays.map((relay) => linkRelay(env, eco, relay).usageByDay(since))),
    shared.usageByDay(since),
    shared.workerUsage(eco, since),
  ]);
  return { own, ofQueues, ofRelays, ofDirectory, ofWorker };
}

interface Metered {
  usageByDay(since: string): Promise<ObjectUsage>;
}

async function ofEach<Name extends string>(
  objects: Readonly<Record<Name, Metered>>,
  since: string,
): Promise<Record<Name, ObjectUsage>> {
  const entries = Object.entries<Metered>(objects);
  const used = await Promise.all(
    entries.map(async ([name, object]) => [name, await object.usageByDay(since)] as const),
  );
  return Object.fromEntries(used) as Record<Name, ObjectUsage>;
}
