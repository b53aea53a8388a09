import { createRoute, z } from "@hono/zod-openapi";
import { METRIC_NAME } from "../../../core/introspection/history/collector.ts";
import { COARSE_MS, MAX_POINTS, stepFor } from "../../../core/introspection/history/query.ts";
import { observationCache } from "../../bindings/objects.ts";
import { EcosystemPath, time, wholeNumber, words } from "../http/query.ts";
import { invalid } from "../http/refusal.ts";
import { json, newApi, problems, secured } from "../http/route.ts";
import { HistoryPageSchema } from "./schemas.ts";

const HOUR_MS = 3_600_000;

const getHistory = createRoute({
  method: "get",
  path: "/v1/{eco}/observations/history",
  operationId: "getObservationHistory",
  summary: "A metric over time",
  description:
    "Every number that observations carry, `ttr_ms`, and `ok` as 1 or 0. By the minute for a day, by the quarter of an hour " +
    "for thirty days; a query that reaches back further than a day may get a coarser step than it names.",
  tags: ["observations"],
  ...secured("signals:read"),
  request: {
    params: EcosystemPath,
    query: z.strictObject({
      metric: z
        .string({ error: "metric is required: for example ?metric=cpu_percent" })
        .regex(
          METRIC_NAME,
          "a metric's name starts with a letter or _ and holds letters, digits and _ . : - (64 at most)",
        )
        .openapi({ param: { description: "Name of the metric" }, example: "cpu_percent" }),
      reporter: words("Only of this reporter; otherwise all together"),
      since: time("From then on; default an hour before `until`"),
      until: time("Until then; default now"),
      step: wholeNumber(
        0,
        COARSE_MS / 1_000,
        0,
        "Seconds between two points, rounded up to whole minutes; 0: chosen by the length of time",
      ),
    }),
  },
  responses: { 200: json(HistoryPageSchema, "The series"), ...problems() },
});

export const history = newApi().openapi(getHistory, async (c) => {
  const { eco } = c.req.valid("param");
  const { metric, reporter, since, until, step } = c.req.valid("query");
  const nowMs = Date.now();
  const untilMs = until ?? nowMs;
  const sinceMs = since ?? untilMs - HOUR_MS;
  const wrong = (pointer: string, message: string) =>
    invalid("invalid-query", "The request is not valid", [{ pointer, message }]);
  if (sinceMs > untilMs) throw wrong("/query/since", "must be before until");
  const stepMs = stepFor(sinceMs, untilMs, nowMs, step === 0 ? undefined : step * 1_000);
  if ((untilMs - sinceMs) / stepMs > MAX_POINTS)
    throw wrong("/query/step", `gives more than ${MAX_POINTS} points: use a longer step or a shorter time`);
  const query = { metric, sinceMs, untilMs, stepMs, ...(reporter === undefined ? {} : { reporter }) };
  return c.json(await observationCache(c.env, eco).history(query), 200);
});
