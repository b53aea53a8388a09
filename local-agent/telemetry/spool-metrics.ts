import type { Registrar } from "../feature/registrar.ts";
import { LANES, type Lane, type Spool } from "../store/spool.ts";

export function registerSpoolMetrics(register: Registrar, spool: Spool): void {
  const labels = ["lane"] as const;
  const byLane = (read: (lane: Lane) => number) => () => LANES.map((lane) => ({ lane, value: read(lane) }));
  register.counter({
    name: "ganglion_agent_signals_taken",
    help: "Signals ever taken into the spool",
    labels,
    read: byLane((lane) => spool.lastNumber(lane)),
  });
  register.gauge({
    name: "ganglion_agent_spool_signals",
    help: "Signals that the edge has not confirmed yet",
    labels,
    read: byLane((lane) => spool.depth(lane).signals),
  });
  register.gauge({
    name: "ganglion_agent_spool_bytes",
    help: "Size of the signals that the edge has not confirmed yet",
    labels,
    read: byLane((lane) => spool.depth(lane).bytes),
  });
  register.counter({
    name: "ganglion_agent_observations_shed",
    help: "Observations deleted because the spool was full",
    labels,
    read: byLane((lane) => spool.depth(lane).shed),
  });
}
