import { createRoute } from "@hono/zod-openapi";
import { deadLetters, observationCache, policyState, signalLog } from "../../bindings/objects.ts";
import { EcosystemPath } from "../http/query.ts";
import { json, newApi, problems, secured } from "../http/route.ts";
import { MAX_WINDOW_SECONDS } from "../introspection/observations.ts";
import { StatusSchema } from "./schemas.ts";

const getStatus = createRoute({
  method: "get",
  path: "/v1/{eco}/status",
  operationId: "getStatus",
  summary: "An ecosystem at a glance",
  tags: ["operation"],
  ...secured("signals:read"),
  request: { params: EcosystemPath },
  responses: { 200: json(StatusSchema, "Log, window, open gaps, rules, dead letters"), ...problems() },
});

export const status = newApi().openapi(getStatus, async (c) => {
  const { eco } = c.req.valid("param");
  const cache = observationCache(c.env, eco);
  const [log, window, open, policies, letters] = await Promise.all([
    signalLog(c.env, eco).status(),
    cache.observations({ seconds: MAX_WINDOW_SECONDS, limit: 1 }),
    cache.gaps("open"),
    policyState(c.env, eco).overview(),
    deadLetters(c.env, eco).count(),
  ]);
  const { window_seconds: seconds, size, oldest, newest } = window;
  return c.json(
    {
      ecosystem: eco,
      log,
      window: { seconds, size, oldest, newest },
      gaps: { open: open.length },
      policies,
      dead_letters: letters,
    },
    200,
  );
});
