import type { Feature } from "../base/feature.ts";
import { registerAgentMetrics } from "./agent-metrics.ts";
import { ObservabilityServer } from "./server.ts";

/** Metrics and health for those who watch over the host (R53). */
export const OBSERVABILITY_ROOM: Feature = {
  name: "observability",
  reloads: ["observability"],
  assemble(context) {
    const { options, metrics, health, status, log } = context;
    // Without a section nothing is measured, either; with one, the port may come and go while the agent runs.
    if (options.observability === undefined) return undefined;
    registerAgentMetrics(context);
    const server = new ObservabilityServer({ port: options.observability.port, metrics, health, status, log });
    return {
      services: [server],
      reload: ({ observability }) => server.setPort(observability?.port ?? null),
    };
  },
};
