import type { Feature } from "../feature/feature.ts";
import { BusService } from "./bus-service.ts";
import { BUS_SINK } from "./bus-sink.ts";
import { BusTopics } from "./bus-topics.ts";
import { KnownIds } from "./known-ids.ts";
import type { BusFeatureOptions } from "./settings.ts";
import { explainTopics, patternsOfTopics } from "./topic-patterns.ts";

const DEAD_LETTERS_BYTES = 8 * 1024 * 1024;

/** Connects the host's ZMQ bus with the edge, in both directions. */
export const BUS_FEATURE: Feature<BusFeatureOptions> = {
  name: "bus",
  shownWhenOff: true,
  reloadOn: ["subscribe"],
  restartOn: ["sources", "xsub", "xpub"],
  sinks: ({ sources, subscribe }) =>
    sources.includes("bus")
      ? [{ name: BUS_SINK, patterns: subscribe, because: "edge.subscribe, for the bus", notFromOwnBus: true }]
      : [],
  assemble({ options, register, spool, inbox, db, log, now, deadLetterFile, deadLetters: outbox, askFor }) {
    if (!options.sources.includes("bus")) return undefined;
    const { xsub, xpub, subscribe } = options;
    const deadLetters = deadLetterFile("bus", DEAD_LETTERS_BYTES);
    const knownIds = new KnownIds(db);
    const unhandled = { outbox, hostId: options.hostId };
    const ask = () => askFor(BUS_SINK, patternsOfTopics(topics.all), explainTopics(topics.all, bus.foreign));
    const topics = new BusTopics({ db, log, onChange: ask });
    const bus = new BusService({
      xsub,
      xpub,
      subscribe,
      topics,
      spool,
      inbox,
      knownIds,
      deadLetters,
      unhandled,
      now,
      log,
    });
    ask();
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
