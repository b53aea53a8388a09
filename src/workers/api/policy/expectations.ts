import { createRoute, z } from "@hono/zod-openapi";
import { policyState } from "../../bindings/objects.ts";
import { nextLink } from "../http/next-link.ts";
import { EcosystemPath, pageCursor, wholeNumber, words } from "../http/query.ts";
import { json, newApi, problems, secured } from "../http/route.ts";
import { ExpectationsSchema } from "./schemas.ts";

const listExpectations = createRoute({
  method: "get",
  path: "/v1/{eco}/expectations",
  operationId: "listExpectations",
  summary: "Signals that rules wait for, the next to be due first",
  tags: ["policy"],
  ...secured("signals:read"),
  request: {
    params: EcosystemPath,
    query: z.strictObject({
      limit: wholeNumber(1, 1_000, 100, "Expectations in a page"),
      after: pageCursor,
      rule: words("Only expectations of this rule"),
    }),
  },
  responses: { 200: json(ExpectationsSchema, "One page"), ...problems() },
});

export const expectations = newApi().openapi(listExpectations, async (c) => {
  const { eco } = c.req.valid("param");
  const { limit, after, rule } = c.req.valid("query");
  const page = await policyState(c.env, eco).expectations({
    limit,
    ...(after === undefined ? {} : { after }),
    ...(rule === undefined ? {} : { rule }),
  });
  return c.json(page, 200, nextLink(c.req.url, page.next));
});
