import { createRoute, z } from "@hono/zod-openapi";
import type { EcosystemRecord } from "../../../core/access/api.ts";
import { authorise, type Grant } from "../../../core/access/grant.ts";
import type { AttentionItem, AttentionPage } from "../../../core/attention/api.ts";
import { attentionItems, byUrgency } from "../../../core/attention/items.ts";
import { formatTimestamp } from "../../../core/signals/timestamp.ts";
import { logLine } from "../../../durable-objects/shell/log-line.ts";
import type { Environment } from "../../bindings/environment.ts";
import {
  agentRegistry,
  deadLetters,
  directory,
  observationCache,
  policyState,
  priorityQueue,
  signalLog,
} from "../../bindings/objects.ts";
import { EcosystemPath, wholeNumber, words } from "../http/query.ts";
import { json, newApi, problems, secured, securedAnywhere } from "../http/route.ts";
import { AttentionPageSchema, AttentionSchema } from "./schemas.ts";

/** Queues of an ecosystem that are asked for alerts. A call may make 1,000 calls of objects. */
const MAX_QUEUES = 25;
const MAX_ECOSYSTEMS = 30;

const one = createRoute({
  method: "get",
  path: "/v1/{eco}/attention",
  operationId: "getAttention",
  summary: "What needs somebody in an ecosystem",
  description:
    "Hosts that are down, open alerts and gaps, quarantined rules, dead letters, forwarded signals that wait, and a budget that is nearly used up. Alerts of " +
    `queues are those of the first ${MAX_QUEUES} queues by name.`,
  tags: ["operation"],
  ...secured("signals:read"),
  request: { params: EcosystemPath },
  responses: { 200: json(AttentionSchema, "Most urgent first"), ...problems() },
});

const all = createRoute({
  method: "get",
  path: "/v1/attention",
  operationId: "getAttentionEverywhere",
  summary: "What needs somebody in any ecosystem that the token may see",
  tags: ["federation"],
  ...securedAnywhere("signals:read"),
  request: {
    query: z.strictObject({
      limit: wholeNumber(1, MAX_ECOSYSTEMS, 20, "Most ecosystems in one page"),
      after: words("`next` of the page before"),
    }),
  },
  responses: { 200: json(AttentionPageSchema, "A page of ecosystems"), ...problems() },
});

export const attention = newApi()
  .openapi(one, async (c) => {
    const items = await itemsOf(c.env, c.req.valid("param").eco);
    return c.json({ items, checked_at: formatTimestamp(Date.now()) }, 200);
  })
  .openapi(all, async (c) => {
    const { limit, after = "" } = c.req.valid("query");
    const visible = await visibleEcosystems(c.env, c.get("grant"), after);
    const page = visible.slice(0, limit);
    const found = await Promise.all(page.map((record) => lookAt(c.env, record)));
    return c.json(
      {
        items: found.flatMap(({ items }) => items).sort(byUrgency),
        ecosystems: found.map(({ summary }) => summary),
        next: visible.length > page.length ? (page.at(-1)?.name ?? null) : null,
        checked_at: formatTimestamp(Date.now()),
      },
      200,
    );
  });

/** Ecosystems that a token may read, after a name. One that was never active holds nothing that needs somebody. */
async function visibleEcosystems(env: Environment, grant: Grant, after: string): Promise<EcosystemRecord[]> {
  const nowMs = Date.now();
  return (await directory(env).ecosystems()).filter(
    ({ name }) => name > after && authorise(grant, "signals:read", name, nowMs) === "allowed",
  );
}

interface Looked {
  readonly summary: AttentionPage["ecosystems"][number];
  readonly items: readonly AttentionItem[];
}

/** One ecosystem that cannot be looked at, because it is being exported, hides no other. */
async function lookAt(env: Environment, { name, last_active_at }: EcosystemRecord): Promise<Looked> {
  try {
    const items = await itemsOf(env, name);
    return { items, summary: { name, items: items.length, worst: items[0]?.severity ?? null, last_active_at } };
  } catch (error) {
    logLine("warn", "attention-not-read", { ecosystem: name, error });
    const failed = "the ecosystem did not answer: ask again";
    return { items: [], summary: { name, items: 0, worst: null, last_active_at, failed } };
  }
}

async function itemsOf(env: Environment, ecosystem: string): Promise<AttentionItem[]> {
  const rules = policyState(env, ecosystem);
  const [{ agents }, gaps, { quarantined }, forwardsWaiting, letters, queues, budget] = await Promise.all([
    agentRegistry(env, ecosystem).agents(),
    observationCache(env, ecosystem).gaps("open"),
    rules.overview(),
    rules.forwardsWaiting(),
    deadLetters(env, ecosystem).count(),
    queueAlerts(env, ecosystem),
    signalLog(env, ecosystem).budget(),
  ]);
  return attentionItems({
    ecosystem,
    agents,
    gaps,
    quarantined,
    forwardsWaiting,
    deadLetters: letters,
    queues,
    budget,
  });
}

async function queueAlerts(env: Environment, ecosystem: string) {
  const queues = (await directory(env).queues(ecosystem)).slice(0, MAX_QUEUES);
  return Promise.all(queues.map(({ name }) => priorityQueue(env, ecosystem, name).status()));
}
