import type { Feature } from "../base/feature.ts";
import { counterOf } from "../telemetry/instruments.ts";
import { BusService } from "./bus-service.ts";
import { BUS_SINK } from "./bus-sink.ts";
import { KnownIds } from "./known-ids.ts";

const DEAD_LETTERS_BYTES = 8 * 1024 * 1024;

/** The host's ZMQ bus, in both directions (R6, R7). */
export const BUS_ROOM: Feature = {
  name: "bus",
  shownWhenOff: true,
  reloads: ["subscribe"],
  renews: ["sources", "xsub", "xpub"],
  sinks: ({ sources, subscribe }) =>
    sources.includes("bus") ? [{ name: BUS_SINK, patterns: subscribe, notFromOwnBus: true }] : [],
  assemble({ options, spool, inbox, db, metrics, offers, log, now, deadLetterFile }) {
    if (!options.sources.includes("bus")) return undefined;
    const { xsub, xpub, subscribe } = options;
    const deadLetters = deadLetterFile("bus", DEAD_LETTERS_BYTES);
    const knownIds = new KnownIds(db);
    const bus = new BusService({ xsub, xpub, subscribe, spool, inbox, knownIds, deadLetters, now, log });
    counterOf(...([
      metrics,
      "ganglion_agent_bus_messages",
      "Messages of the host's bus, by what became of them",
    ] as const), () => {
      const { taken, echoes, dead, lost, published } = bus.counts;
      return Object.entries({ taken, echoes, dead, lost, published }).map(([outcome, value]) => ({ outcome, value }));
    }, ["outcome"]);
    offers.publishLocally = (signal, facts) => bus.publishLocally(signal, facts, `agent/${options.hostId}`);
    return { services: [bus], reload: (settings) => bus.setSubscribe(settings.subscribe) };
  },
};
