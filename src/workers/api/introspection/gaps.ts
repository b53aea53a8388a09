import { createRoute, z } from "@hono/zod-openapi";
import { observationCache } from "../../bindings/objects.ts";
import { EcosystemPath, oneOf, words } from "../http/query.ts";
import { json, newApi, problems, secured } from "../http/route.ts";
import { GapsSchema } from "./schemas.ts";

const listGaps = createRoute({
  method: "get",
  path: "/v1/{eco}/gaps",
  operationId: "listGaps",
  summary: "Open problems, with their evidence",
  tags: ["observations"],
  ...secured("signals:read"),
  request: {
    params: EcosystemPath,
    query: z.strictObject({
      status: oneOf(["open", "resolved", "all"], "Which gaps"),
      name: words("Only gaps of this name"),
    }),
  },
  responses: { 200: json(GapsSchema, "Gaps"), ...problems() },
});

export const gaps = newApi().openapi(listGaps, async (c) => {
  const { eco } = c.req.valid("param");
  const { status, name } = c.req.valid("query");
  const found = await observationCache(c.env, eco).gaps(status);
  return c.json({ gaps: name === undefined ? found : found.filter((gap) => gap.name === name) }, 200);
});
