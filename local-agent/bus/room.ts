import type { Room } from "../room.ts";
import { BUS_SINK } from "../sinks/bus.ts";
import { BusService } from "./bus-service.ts";
import { KnownIds } from "./known-ids.ts";

const DEAD_LETTERS_BYTES = 8 * 1024 * 1024;

/** The host's ZMQ bus, in both directions (R6, R7). */
export const BUS_ROOM: Room = {
  name: "bus",
  shownWhenOff: true,
  reloads: ["subscribe"],
  sinks: ({ sources, subscribe }) => (sources.includes("bus") ? [{ name: BUS_SINK, patterns: subscribe }] : []),
  assemble({ options, spool, inbox, db, log, now, deadLetterFile }) {
    if (!options.sources.includes("bus")) return undefined;
    const { xsub, xpub, subscribe } = options;
    const deadLetters = deadLetterFile("bus", DEAD_LETTERS_BYTES);
    const knownIds = new KnownIds(db);
    const bus = new BusService({ xsub, xpub, subscribe, spool, inbox, knownIds, deadLetters, now, log });
    return { services: [bus], reload: (settings) => bus.setSubscribe(settings.subscribe) };
  },
};
