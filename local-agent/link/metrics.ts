import { Histogram } from "prom-client";
import type { Registrar } from "../feature/registrar.ts";
import type { Link } from "./link.ts";

/** Buckets of a round trip in seconds: from a socket on the same machine to a bad line over half the globe. */
const ROUND_TRIP_SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

const LINK_STATES = ["connected", "connecting", "waiting", "stopped"] as const;

export function registerLinkMetrics(register: Registrar, link: Link): void {
  register.gauge({
    name: "ganglion_agent_link_state",
    help: "1 for the state of the link to the edge",
    labels: ["state"],
    read: () => LINK_STATES.map((state) => ({ state, value: link.state.state === state ? 1 : 0 })),
  });
  register.counter({
    name: "ganglion_agent_link_connects",
    help: "Connections to the edge that were opened",
    read: () => link.counts.connects,
  });
  register.counter({
    name: "ganglion_agent_link_failures",
    help: "Connections that broke, and attempts that failed",
    read: () => link.counts.failures,
  });
  register.counter({
    name: "ganglion_agent_batches_refused",
    help: "Batches that the edge refused for now: busy, or over a limit",
    read: () => link.counts.refused,
  });
  register.counter({
    name: "ganglion_agent_frames_unknown",
    help: "Frames of unknown type, skipped: the edge is newer than the agent",
    read: () => link.counts.unknown,
  });
  register.counter({
    name: "ganglion_agent_signals_rejected",
    help: "Signals that the edge rejected and stored as dead letters",
    read: () => link.rejectedCount,
  });
  const roundTrip = new Histogram({
    name: "ganglion_agent_append_round_trip_seconds",
    help: "Time from sending a batch until the edge confirms that it is durable",
    labelNames: ["lane"],
    buckets: ROUND_TRIP_SECONDS,
    registers: [register.metrics],
  });
  link.onRoundTrip((lane, seconds) => roundTrip.observe({ lane }, seconds));
}
