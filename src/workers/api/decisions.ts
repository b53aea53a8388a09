import { createRoute, z } from "@hono/zod-openapi";
import { policyState } from "./objects.ts";
import { EcosystemPath, pageCursor, wholeNumber, words } from "./query.ts";
import { json, newApi, problems, secured } from "./route.ts";
import { DecisionsSchema } from "./schemas.ts";

const listDecisions = createRoute({
  method: "get",
  path: "/v1/{eco}/decisions",
  operationId: "listDecisions",
  summary: "What was decided, and why",
  tags: ["policy"],
  ...secured("signals:read"),
  request: {
    params: EcosystemPath,
    query: z.strictObject({
      limit: wholeNumber(1, 1_000, 100, "Decisions in a page"),
      after: pageCursor,
      rule: words("Only decisions of this rule"),
    }),
  },
  responses: { 200: json(DecisionsSchema, "One page"), ...problems() },
});

export const decisions = newApi().openapi(listDecisions, async (c) => {
  const { eco } = c.req.valid("param");
  const { limit, after, rule } = c.req.valid("query");
  const page = await policyState(c.env, eco).decisions({
    limit,
    ...(after === undefined ? {} : { after }),
    ...(rule === undefined ? {} : { rule }),
  });
  return c.json(page, 200);
});
