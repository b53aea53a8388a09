import { createRoute, z } from "@hono/zod-openapi";
import { observationCache } from "./objects.ts";
import { EcosystemPath, wholeNumber, words } from "./query.ts";
import { json, newApi, problems, secured } from "./route.ts";
import { ObservationsPageSchema, ScannersSchema } from "./schemas.ts";

/** Length of the shared window (R8). */
export const WINDOW_SECONDS = 300;

const listObservations = createRoute({
  method: "get",
  path: "/v1/{eco}/observations",
  operationId: "listObservations",
  summary: "What was measured lately",
  tags: ["observations"],
  ...secured("signals:read"),
  request: {
    params: EcosystemPath,
    query: z.strictObject({
      seconds: wholeNumber(1, WINDOW_SECONDS, 60, "How far back"),
      zooid: words("Only observations of this reporter"),
      limit: wholeNumber(1, 10_000, 1_000, "Observations in the answer, the newest"),
    }),
  },
  responses: { 200: json(ObservationsPageSchema, "The window"), ...problems() },
});

const listScanners = createRoute({
  method: "get",
  path: "/v1/{eco}/scanners",
  operationId: "listScanners",
  summary: "Settings and health of each scanner",
  tags: ["observations"],
  ...secured("signals:read"),
  request: { params: EcosystemPath },
  responses: { 200: json(ScannersSchema, "Scanners"), ...problems() },
});

export const observations = newApi()
  .openapi(listObservations, async (c) => {
    const { eco } = c.req.valid("param");
    const { seconds, zooid, limit } = c.req.valid("query");
    const page = await observationCache(c.env, eco).observations({
      seconds,
      limit,
      ...(zooid === undefined ? {} : { reporter: zooid }),
    });
    return c.json(page, 200);
  })
  .openapi(listScanners, async (c) => {
    const { eco } = c.req.valid("param");
    return c.json({ scanners: await observationCache(c.env, eco).scanners() }, 200);
  });
