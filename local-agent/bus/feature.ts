import type { Feature } from "../feature/feature.ts";
import { BusService } from "./bus-service.ts";
import { BUS_SINK } from "./bus-sink.ts";
import { KnownIds } from "./known-ids.ts";
import type { BusFeatureOptions } from "./settings.ts";

const DEAD_LETTERS_BYTES = 8 * 1024 * 1024;

/** Connects the host's ZMQ bus with the edge, in both directions. */
export const BUS_FEATURE: Feature<BusFeatureOptions> = {
  name: "bus",
  shownWhenOff: true,
  reloadOn: ["subscribe"],
  restartOn: ["sources", "xsub", "xpub"],
  sinks: ({ sources, subscribe }) =>
    sources.includes("bus") ? [{ name: BUS_SINK, patterns: subscribe, notFromOwnBus: true }] : [],
  assemble({ options, register, spool, inbox, db, log, now, deadLetterFile, deadLetters: outbox }) {
    if (!options.sources.includes("bus")) return undefined;
    const { xsub, xpub, subscribe } = options;
    const deadLetters = deadLetterFile("bus", DEAD_LETTERS_BYTES);
    const knownIds = new KnownIds(db);
    const unhandled = { outbox, hostId: options.hostId };
    const bus = new BusService({ xsub, xpub, subscribe, spool, inbox, knownIds, deadLetters, unhandled, now, log });
    register.counter({
      name: "ganglion_agent_bus_messages",
      help: "Messages of the host's bus, by outcome",
      labels: ["outcome"],
      read: () => {
        const { taken, echoes, dead, lost, published } = bus.counts;
        return Object.entries({ taken, echoes, dead, lost, published }).map(([outcome, value]) => ({ outcome, value }));
      },
    });
    register.counter({
      name: "ganglion_agent_bus_values_kept_as_text",
      help: "Numbers of bus messages that JSON readers would change, kept as text",
      read: () => bus.counts.keptAsText,
    });
    register.provide("publishLocally", (signal, facts) => bus.publishLocally(signal, facts, `agent/${options.hostId}`));
    return { services: [bus], reload: (settings) => bus.setSubscribe(settings.subscribe) };
  },
};
