import { createRoute, z } from "@hono/zod-openapi";
import { METRICS_TYPES, metricsFormat } from "../../../core/metrics/format.ts";
import { MetricsTargets, metricsTargets } from "../../../core/metrics/targets.ts";
import { directory } from "../../bindings/objects.ts";
import { EcosystemPath } from "../http/query.ts";
import { json, newApi, problems, secured } from "../http/route.ts";
import { named } from "../http/schema-parts.ts";
import { scrape, scrapeAll } from "./scrape.ts";

const text = { schema: z.string() };
const exposed = (description: string) => ({
  description,
  content: { [METRICS_TYPES.text]: text, [METRICS_TYPES.openmetrics]: text },
});

const FORMATS =
  "Prometheus' text format 0.0.4, or OpenMetrics 1.0.0 where `Accept` prefers it; up to ten seconds old. " +
  "No object is woken: each family is as its object reported it last, `ganglion_state_age_seconds` ago.";

const getMetrics = createRoute({
  method: "get",
  path: "/v1/{eco}/metrics",
  operationId: "getMetrics",
  summary: "The metrics of an ecosystem, for Prometheus",
  description: FORMATS,
  tags: ["operation"],
  ...secured("signals:read"),
  request: { params: EcosystemPath },
  responses: { 200: exposed("The metrics"), ...problems() },
});

const getAllMetrics = createRoute({
  method: "get",
  path: "/metrics",
  operationId: "getAllMetrics",
  summary: "Metrics of all ecosystems together, for Prometheus",
  description: `${FORMATS} The labels \`queue\` and \`rule\` are left out: their samples are added up.`,
  tags: ["operation"],
  ...secured("admin"),
  responses: { 200: exposed("The metrics"), ...problems() },
});

const getTargets = createRoute({
  method: "get",
  path: "/metrics/targets",
  operationId: "getMetricsTargets",
  summary: "All ecosystems as targets, for the HTTP service discovery of Prometheus",
  tags: ["operation"],
  ...secured("admin"),
  responses: { 200: json(named("MetricsTargets", MetricsTargets), "A target for each ecosystem"), ...problems() },
});

export const metrics = newApi()
  .openapi(getMetrics, async (c) => {
    const format = metricsFormat(c.req.header("accept"));
    const texts = await scrape(c.env, c.req.valid("param").eco, format);
    return c.body(streamOf(texts), 200, headersOf(format));
  })
  .openapi(getAllMetrics, async (c) => {
    const format = metricsFormat(c.req.header("accept"));
    return c.body(streamOf(await scrapeAll(c.env, format)), 200, headersOf(format));
  })
  .openapi(getTargets, async (c) => {
    const names = await directory(c.env).scrapeable();
    return c.json(metricsTargets(names, c.req.url), 200);
  });

/** The answer depends on the token and on what is accepted. */
const headersOf = (format: "text" | "openmetrics") => ({
  "Content-Type": METRICS_TYPES[format],
  "Cache-Control": "private, no-cache",
  Vary: "Accept, Authorization",
});

/** A family at a time, as the reader takes them. */
function streamOf(texts: readonly string[]): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  const rest = texts.values();
  return new ReadableStream({
    pull(controller) {
      const { value, done } = rest.next();
      if (done === true) controller.close();
      else controller.enqueue(encoder.encode(value));
    },
  });
}
