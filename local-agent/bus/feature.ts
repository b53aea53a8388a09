import { createClient } from "../../src/client/client.ts";
import type { Feature } from "../feature/feature.ts";
import { errorsText, takeIn } from "../store/intake.ts";
import { BusPrograms } from "./bus-programs.ts";
import { BusService } from "./bus-service.ts";
import { BUS_SINK } from "./bus-sink.ts";
import { BusTopics } from "./bus-topics.ts";
import { KnownIds } from "./known-ids.ts";
import { ReplaySocket } from "./replay/replay-socket.ts";
import type { BusFeatureOptions } from "./settings.ts";
import { explainTopics, patternsOfTopics } from "./topic-patterns.ts";

const DEAD_LETTERS_BYTES = 8 * 1024 * 1024;

/** Connects the host's ZMQ bus with the edge, in both directions. */
export const BUS_FEATURE: Feature<BusFeatureOptions> = {
  name: "bus",
  shownWhenOff: true,
  reloadOn: ["subscribe"],
  restartOn: ["sources", "xsub", "xpub", "bus"],
  sinks: ({ sources, subscribe }) =>
    sources.includes("bus")
      ? [{ name: BUS_SINK, patterns: subscribe, because: "edge.subscribe, for the bus", notFromOwnBus: true }]
      : [],
  assemble({
    options,
    register,
    spool,
    inbox,
    link,
    db,
    log,
    now,
    deadLetterFile,
    deadLetters: outbox,
    provided,
    askFor,
  }) {
    if (!options.sources.includes("bus")) return undefined;
    const { xsub, xpub, subscribe, hostId, bus: forms } = options;
    const source = `agent/${hostId}`;
    const deadLetters = deadLetterFile("bus", DEAD_LETTERS_BYTES);
    const knownIds = new KnownIds(db);
    const unhandled = { outbox, hostId };
    const ask = () => askFor(BUS_SINK, patternsOfTopics(topics.all), explainTopics(topics.all, bus.foreign));
    const topics = new BusTopics({ db, log, onChange: ask });
    const report = (signal: string, facts: Readonly<Record<string, unknown>>) => {
      const taken = takeIn({ signal, source, facts: { host: hostId, ...facts } }, now());
      if (!taken.ok) throw new Error(`a program of the bus cannot be reported: ${errorsText(taken.errors)}`);
      spool
        .put("local", [taken.signal])
        .catch((error: unknown) => log.error({ err: error, signal, facts }, "bus: a program cannot be reported"));
    };
    const programs = forms?.heartbeats === "signals" ? undefined : new BusPrograms({ onChange: report, now });
    const bus = new BusService({
      forms,
      programs,
      heard: (signal, facts) => provided.heardOnBus?.(signal, facts),
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
    const replay =
      forms?.replay === undefined
        ? undefined
        : new ReplaySocket({
            address: forms.replay,
            form: forms.messages,
            client: () => createClient({ url: options.url, token: options.token(), ecosystem: options.ecosystem }),
            link,
            spool,
            knownIds,
            stored: () => bus.stored(),
            now,
            log,
          });
    if (replay !== undefined) {
      register.counter({
        name: "ganglion_agent_bus_replays",
        help: "Requests of late subscribers of the bus, by outcome",
        labels: ["outcome"],
        read: () => Object.entries(replay.counts).map(([outcome, value]) => ({ outcome, value })),
      });
    }
    register.counter({
      name: "ganglion_agent_bus_messages",
      help: "Messages of the host's bus, by outcome",
      labels: ["outcome"],
      read: () => {
        const { keptAsText: _, ...outcomes } = bus.counts;
        return Object.entries(outcomes).map(([outcome, value]) => ({ outcome, value }));
      },
    });
    register.counter({
      name: "ganglion_agent_bus_values_kept_as_text",
      help: "Numbers of bus messages that JSON readers would change, kept as text",
      read: () => bus.counts.keptAsText,
    });
    register.status(() => programs?.status);
    register.provide("publishLocally", (signal, facts) => bus.publishLocally(signal, facts, source));
    return {
      services: replay === undefined ? [bus] : [bus, replay],
      reload: (settings) => bus.setSubscribe(settings.subscribe),
    };
  },
};
