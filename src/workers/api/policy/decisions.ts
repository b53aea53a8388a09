import { createRoute, z } from "@hono/zod-openapi";
import { lineSeq } from "../../../core/signals/signal-line.ts";
import type { Environment } from "../../bindings/environment.ts";
import { policyState } from "../../bindings/objects.ts";
import { nextLink } from "../http/next-link.ts";
import { choice, EcosystemPath, pageCursor, time, wholeNumber, words } from "../http/query.ts";
import { notFound } from "../http/refusal.ts";
import { json, newApi, problems, secured } from "../http/route.ts";
import { signalsOf } from "../signals/one-signal.ts";
import { DecisionsSchema } from "./schemas.ts";

const listDecisions = createRoute({
  method: "get",
  path: "/v1/{eco}/decisions",
  operationId: "listDecisions",
  summary: "Decisions of rules, with their reasons",
  description: "Decisions on the newest signals first. Decisions are kept for 30 days, and 20,000 at most.",
  tags: ["policy"],
  ...secured("signals:read"),
  request: {
    params: EcosystemPath,
    query: z.strictObject({
      limit: wholeNumber(1, 1_000, 100, "Decisions in a page"),
      after: pageCursor,
      rule: words("Only decisions of this rule"),
      outcome: choice(["fired", "suppressed", "failed"], "Only with this outcome"),
      signal: words("Only decisions on the signal with this id"),
      since: time("Decided at this time or later"),
      until: time("Decided before this time"),
    }),
  },
  responses: { 200: json(DecisionsSchema, "One page"), ...problems(404) },
});

export const decisions = newApi().openapi(listDecisions, async (c) => {
  const { eco } = c.req.valid("param");
  const { signal, since, until, ...query } = c.req.valid("query");
  const page = await policyState(c.env, eco).decisions({
    ...query,
    ...(signal === undefined ? {} : { seq: await seqOf(c.env, eco, signal) }),
    ...(since === undefined ? {} : { sinceMs: since }),
    ...(until === undefined ? {} : { untilMs: until }),
  });
  return c.json(page, 200, nextLink(c.req.url, page.next));
});

async function seqOf(env: Environment, ecosystem: string, id: string): Promise<number> {
  const [line] = await signalsOf(env, ecosystem, id);
  if (line === undefined) throw notFound(`No signal "${id}" in the log. It may be older than the retention.`);
  return lineSeq(line);
}
