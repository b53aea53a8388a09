import { createRoute, z } from "@hono/zod-openapi";
import type { Signal } from "../../../core/signals/signal.ts";
import type { Environment } from "../../environment.ts";
import { policyState, signalLog } from "../../objects.ts";
import { choice, EcosystemPath, pageCursor, time, wholeNumber, words } from "../http/query.ts";
import { notFound } from "../http/refusal.ts";
import { json, newApi, problems, secured } from "../http/route.ts";
import { DecisionsSchema } from "./schemas.ts";

const listDecisions = createRoute({
  method: "get",
  path: "/v1/{eco}/decisions",
  operationId: "listDecisions",
  summary: "What was decided, and why",
  description: "Decisions on the newest signals first. They are kept for 30 days, and 20,000 at most.",
  tags: ["policy"],
  ...secured("signals:read"),
  request: {
    params: EcosystemPath,
    query: z.strictObject({
      limit: wholeNumber(1, 1_000, 100, "Decisions in a page"),
      after: pageCursor,
      rule: words("Only decisions of this rule"),
      outcome: choice(["fired", "suppressed", "failed"], "Only with this outcome"),
      signal: words("Only decisions on the signal of this id"),
      since: time("Decided then or later"),
      until: time("Decided before then"),
    }),
  },
  responses: { 200: json(DecisionsSchema, "One page"), ...problems(404) },
});

export const decisions = newApi().openapi(listDecisions, async (c) => {
  const { eco } = c.req.valid("param");
  const { signal, since, until, ...query } = c.req.valid("query");
  const page = await policyState(c.env, eco).decisions({
    ...query,
    ...(signal === undefined ? {} : { seq: await placeOf(c.env, eco, signal) }),
    ...(since === undefined ? {} : { sinceMs: since }),
    ...(until === undefined ? {} : { untilMs: until }),
  });
  return c.json(page, 200);
});

async function placeOf(env: Environment, ecosystem: string, id: string): Promise<number> {
  const line = await signalLog(env, ecosystem).find(id);
  if (line === null) throw notFound("The log holds no signal of this id; it may be older than the retention.");
  return (JSON.parse(line) as Signal).seq;
}
