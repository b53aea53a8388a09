import { createRoute, z } from "@hono/zod-openapi";
import { deadLetters } from "./objects.ts";
import { EcosystemPath, pageCursor, wholeNumber } from "./query.ts";
import { json, newApi, problems, secured } from "./route.ts";
import { DeadLettersSchema } from "./schemas.ts";

const listDeadLetters = createRoute({
  method: "get",
  path: "/v1/{eco}/dead-letters",
  operationId: "listDeadLetters",
  summary: "What could not be processed, and why",
  tags: ["signals"],
  ...secured("signals:read"),
  request: {
    params: EcosystemPath,
    query: z.strictObject({ limit: wholeNumber(1, 1_000, 100, "Dead letters in a page"), after: pageCursor }),
  },
  responses: { 200: json(DeadLettersSchema, "One page"), ...problems() },
});

export const letters = newApi().openapi(listDeadLetters, async (c) => {
  const { eco } = c.req.valid("param");
  const { limit, after } = c.req.valid("query");
  const page = await deadLetters(c.env, eco).list({ limit, ...(after === undefined ? {} : { after }) });
  return c.json(page, 200);
});
