import { collectDefaultMetrics } from "prom-client";
import type { Feature } from "../feature/feature.ts";
import { ObservabilityServer } from "./server.ts";
import type { TelemetryFeatureOptions } from "./settings.ts";
import { registerSpoolMetrics } from "./spool-metrics.ts";

/** Interval at which the delay of the event loop is measured, in milliseconds: short enough to see it block. */
const LOOP_PRECISION_MS = 100;

/** Serves metrics and health to monitoring tools of the host. */
export const TELEMETRY_FEATURE: Feature<TelemetryFeatureOptions> = {
  name: "observability",
  reloadOn: ["observability"],
  assemble({ options, register, spool, allMetrics: metrics, health, status, log }) {
    // Without the section, the event loop is not measured either. With it, the port may come and go at run time.
    if (options.observability === undefined) return undefined;
    collectDefaultMetrics({ register: register.metrics, eventLoopMonitoringPrecision: LOOP_PRECISION_MS });
    registerSpoolMetrics(register, spool);
    const server = new ObservabilityServer({ port: options.observability.port, metrics, health, status, log });
    return {
      services: [server],
      reload: ({ observability }) => server.setPort(observability?.port ?? null),
    };
  },
};
