import * as z from "zod";

/**
 * What Prometheus scrapes, as its HTTP service discovery reads it.
 *
 * @see https://prometheus.io/docs/prometheus/latest/http_sd/
 */
export const MetricsTargets = z.array(
  z.object({
    targets: z.array(z.string()).meta({ description: "Host and port of the edge", example: ["127.0.0.1:8787"] }),
    labels: z
      .object({
        __scheme__: z.enum(["http", "https"]).meta({ description: "How the edge is reached" }),
        __metrics_path__: z.string().meta({ description: "Path of the ecosystem's metrics" }),
        ecosystem: z.string().meta({ description: "The ecosystem: a label of all its metrics" }),
      })
      .meta({ description: "How Prometheus scrapes the target, and what it adds to each sample" }),
  }),
);
export type MetricsTargets = z.infer<typeof MetricsTargets>;

/** @param edgeUrl - any URL of the edge, as the caller reached it */
export function metricsTargets(ecosystems: readonly string[], edgeUrl: string): MetricsTargets {
  const { host, protocol } = new URL(edgeUrl);
  return ecosystems.map((ecosystem) => ({
    targets: [host],
    labels: {
      __scheme__: protocol === "https:" ? "https" : "http",
      __metrics_path__: `/v1/${ecosystem}/metrics`,
      ecosystem,
    },
  }));
}
