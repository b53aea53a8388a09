import { createRoute, z } from "@hono/zod-openapi";
import { observationCache } from "../../bindings/objects.ts";
import { EcosystemPath, oneOf, words } from "../http/query.ts";
import { notFound } from "../http/refusal.ts";
import { json, newApi, problems, secured } from "../http/route.ts";
import { GapEvidenceSchema, GapsSchema } from "./schemas.ts";

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

const getEvidence = createRoute({
  method: "get",
  path: "/v1/{eco}/gaps/{fingerprint}/evidence",
  operationId: "getGapEvidence",
  summary: "What a gap rests on, sample by sample",
  description:
    "The samples that are still in the window, with their times, and both thresholds: the one beyond which the gap is raised, " +
    "and the one at which it is resolved.",
  tags: ["observations"],
  ...secured("signals:read"),
  request: {
    params: EcosystemPath.extend({
      fingerprint: z
        .string()
        .max(64)
        .openapi({ param: { description: "`fingerprint` of the gap" }, example: "9f86d081884c7d65" }),
    }),
  },
  responses: { 200: json(GapEvidenceSchema, "The evidence"), ...problems(404) },
});

export const gaps = newApi()
  .openapi(listGaps, async (c) => {
    const { eco } = c.req.valid("param");
    const { status, name } = c.req.valid("query");
    return c.json({ gaps: await observationCache(c.env, eco).gaps(status, name) }, 200);
  })
  .openapi(getEvidence, async (c) => {
    const { eco, fingerprint } = c.req.valid("param");
    const evidence = await observationCache(c.env, eco).gapEvidence(fingerprint);
    if (evidence === null)
      throw notFound(`No gap has the fingerprint "${fingerprint}". List gaps: GET /v1/${eco}/gaps?status=all`);
    return c.json(evidence, 200);
  });
