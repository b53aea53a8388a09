import { collectDefaultMetrics, Histogram } from "prom-client";
import type { FeatureContext } from "../base/feature.ts";
import { LANES } from "../store/spool.ts";
import { counterOf, gaugeOf, type Metrics } from "./instruments.ts";

/** Seconds of a round trip: from a socket on the same machine to a bad line over half the globe. */
const ROUND_TRIP_SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];
/** Between two looks at the event loop, in milliseconds: often enough to see it stand still, seldom enough to sleep. */
const LOOP_PRECISION_MS = 100;

const LINK_STATES = ["connected", "connecting", "waiting", "stopped"] as const;

/** The figures of the agent itself: spool, link, process. Each room registers its own. */
export function registerAgentMetrics({ metrics, spool, link, log }: FeatureContext): void {
  collectDefaultMetrics({ register: metrics, eventLoopMonitoringPrecision: LOOP_PRECISION_MS });
  spoolMetrics(metrics, spool);
  gaugeOf(
    ...([metrics, "ganglion_agent_link_state", "1 for the state of the link to the edge"] as const),
    () => LINK_STATES.map((state) => ({ state, value: link.state.state === state ? 1 : 0 })),
    ["state"],
  );
  counterOf(
    ...([metrics, "ganglion_agent_link_connects", "Connections to the edge that were opened"] as const),
    () => link.counts.connects,
  );
  counterOf(
    ...([metrics, "ganglion_agent_link_failures", "Connections that broke, and attempts that failed"] as const),
    () => link.counts.failures,
  );
  counterOf(
    ...([metrics, "ganglion_agent_batches_refused", "Batches that the edge put off: busy, or over a limit"] as const),
    () => link.counts.refused,
  );
  counterOf(
    ...([metrics, "ganglion_agent_frames_unknown", "Frames of a newer edge that were passed over"] as const),
    () => link.counts.unknown,
  );
  counterOf(
    ...([metrics, "ganglion_agent_signals_rejected", "Signals that the edge keeps as dead letters"] as const),
    () => link.rejectedCount,
  );
  const roundTrip = new Histogram({
    name: "ganglion_agent_append_round_trip_seconds",
    help: "From sending a batch to the edge's word that it is durable",
    labelNames: ["lane"],
    buckets: ROUND_TRIP_SECONDS,
    registers: [metrics],
  });
  link.onRoundTrip((lane, seconds) => roundTrip.observe({ lane }, seconds));
  log.debug("the agent's metrics are registered");
}

function spoolMetrics(metrics: Metrics, spool: FeatureContext["spool"]): void {
  const lanes = (read: (lane: (typeof LANES)[number]) => number) => () =>
    LANES.map((lane) => ({ lane, value: read(lane) }));
  counterOf(
    ...([metrics, "ganglion_agent_signals_taken", "Signals ever taken into the spool"] as const),
    lanes((lane) => spool.lastNumber(lane)),
    ["lane"],
  );
  gaugeOf(
    ...([metrics, "ganglion_agent_spool_signals", "Signals that the edge has not confirmed yet"] as const),
    lanes((lane) => spool.depth(lane).signals),
    ["lane"],
  );
  gaugeOf(
    ...([metrics, "ganglion_agent_spool_bytes", "Size of the signals that the edge has not confirmed yet"] as const),
    lanes((lane) => spool.depth(lane).bytes),
    ["lane"],
  );
  counterOf(
    ...([
      metrics,
      "ganglion_agent_observations_shed",
      "Observations that had to go because the spool was full",
    ] as const),
    lanes((lane) => spool.depth(lane).shed),
    ["lane"],
  );
}
