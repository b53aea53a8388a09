import { createRoute, z } from "@hono/zod-openapi";
import type { EcosystemRecord } from "../../../core/access/api.ts";
import type { AttentionItem, AttentionPage } from "../../../core/attention/api.ts";
import { shownItems } from "../../../core/attention/items.ts";
import { byUrgency } from "../../../core/attention/order.ts";
import { formatTimestamp } from "../../../core/signals/timestamp.ts";
import { logLine } from "../../../durable-objects/shell/log-line.ts";
import type { Environment } from "../../bindings/environment.ts";
import { nextLink } from "../http/next-link.ts";
import { EcosystemPath, wholeNumber, words } from "../http/query.ts";
import { json, newApi, problems, secured, securedAnywhere } from "../http/route.ts";
import { visibleEcosystems } from "../http/visible-ecosystems.ts";
import { lookAt, MAX_QUEUES } from "./look.ts";
import { AttentionPageSchema, AttentionSchema } from "./schemas.ts";

/** A call may make 1,000 calls of objects: each ecosystem takes ten, and one for each of so many queues. */
const MAX_ECOSYSTEMS = 30;
const QUEUES_OF_EACH = 20;

const one = createRoute({
  method: "get",
  path: "/v1/{eco}/attention",
  operationId: "getAttention",
  summary: "What needs somebody in an ecosystem",
  description:
    "A row for each cause: a host that is down is one row, and what follows from it, such as its processes, the queues that " +
    "wait for them and its late answers, are its `effects`. Hosts, processes, gaps, scanners, rules, queues, breakers, dead " +
    "letters, webhooks, expectations, forwarded signals, projections, the log and the budget are looked at; of queues the " +
    `first ${MAX_QUEUES} by name.`,
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
  description: `As for one ecosystem; of the queues of each the first ${QUEUES_OF_EACH} by name are looked at.`,
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
    const nowMs = Date.now();
    const { items, unread } = await lookAt(c.env, c.req.valid("param").eco, nowMs);
    return c.json({ ...shownItems(items), checked_at: formatTimestamp(nowMs), unread }, 200);
  })
  .openapi(all, async (c) => {
    const { limit, after = "" } = c.req.valid("query");
    const visible = (await visibleEcosystems(c.env, c.get("grant"))).filter(({ name }) => name > after);
    const page = visible.slice(0, limit);
    const next = visible.length > page.length ? (page.at(-1)?.name ?? null) : null;
    const nowMs = Date.now();
    const found = await Promise.all(page.map((record) => lookedAt(c.env, record, nowMs)));
    return c.json(
      {
        ...shownItems(found.flatMap(({ items }) => items).sort(byUrgency)),
        unread: found.flatMap(({ summary, unread }) => unread.map((part) => `${summary.name}: ${part}`)),
        ecosystems: found.map(({ summary }) => summary),
        next,
        checked_at: formatTimestamp(nowMs),
      },
      200,
      nextLink(c.req.url, next),
    );
  });

interface Looked {
  readonly summary: AttentionPage["ecosystems"][number];
  readonly items: readonly AttentionItem[];
  readonly unread: readonly string[];
}

/** One ecosystem that cannot be looked at, because it is being exported, hides no other. */
async function lookedAt(env: Environment, { name, last_active_at }: EcosystemRecord, nowMs: number): Promise<Looked> {
  try {
    const { items, unread } = await lookAt(env, name, nowMs, QUEUES_OF_EACH);
    const worst = items[0]?.severity ?? null;
    return { items, unread, summary: { name, items: items.length, worst, last_active_at } };
  } catch (error) {
    logLine("warn", "attention-not-read", { ecosystem: name, error });
    const failed = "the ecosystem did not answer: ask again";
    return { items: [], unread: [], summary: { name, items: 0, worst: null, last_active_at, failed } };
  }
}
