import { createRoute } from "@hono/zod-openapi";
import { overviewOf } from "../../../core/overview/compose.ts";
import type { Environment } from "../../bindings/environment.ts";
import { lookAt } from "../attention/look.ts";
import { namesTag, tagged } from "../http/entity-tag.ts";
import { EcosystemPath } from "../http/query.ts";
import { json, newApi, problems, secured } from "../http/route.ts";
import { recentOverview, remember, type TaggedOverview } from "./recent.ts";
import { OverviewSchema } from "./schemas.ts";

const getOverview = createRoute({
  method: "get",
  path: "/v1/{eco}/overview",
  operationId: "getOverview",
  summary: "An ecosystem in one document",
  description:
    "What needs somebody, the fleet, queues, gaps, the log, dead letters, breakers and the budget, in one bounded document: " +
    "what is beyond a list is counted. It is up to two seconds old. With the `ETag` of an earlier answer as `If-None-Match` " +
    "the answer is 304 without a body, as long as nothing has changed.",
  tags: ["operation"],
  ...secured("signals:read"),
  request: { params: EcosystemPath },
  responses: {
    200: json(OverviewSchema, "The ecosystem"),
    304: { description: "Nothing has changed" },
    ...problems(),
  },
});

export const overview = newApi().openapi(getOverview, async (c) => {
  const { eco } = c.req.valid("param");
  const { overview: document, etag } = await overviewNow(c.env, eco);
  const headers = tagged(etag);
  if (namesTag(c.req.header("if-none-match"), etag)) return c.body(null, 304, headers);
  return c.json(document, 200, headers);
});

async function overviewNow(env: Environment, ecosystem: string): Promise<TaggedOverview> {
  const nowMs = Date.now();
  const known = recentOverview(ecosystem, nowMs);
  if (known !== undefined) return known;
  const { atMs, items, state, fleet, queues, queuesInAll, log, unread } = await lookAt(env, ecosystem, nowMs);
  const { gaps, deadLetters } = state;
  const parts = {
    ecosystem,
    atMs,
    items,
    fleet,
    queues,
    queuesInAll,
    gaps,
    deadLetters: deadLetters.open,
    log,
    unread,
  };
  return remember(ecosystem, overviewOf(parts), Date.now());
}
