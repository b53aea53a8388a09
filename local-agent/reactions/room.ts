import { dirname } from "node:path";
import type { Room } from "../room.ts";
import { patternsOf } from "./open-reactions.ts";
import { Reactions } from "./reactions.ts";
import { REACTIONS_SINK } from "./signal-reactions.ts";

const DEAD_LETTERS_BYTES = 16 * 1024 * 1024;

/** What the host does about signals (R25–R27). */
export const REACTIONS_ROOM: Room = {
  name: "reactions",
  sinks: ({ reactions = {} }) => {
    const patterns = patternsOf(reactions);
    return patterns.length === 0 ? [] : [{ name: REACTIONS_SINK, patterns }];
  },
  assemble({ options, db, inbox, spool, log, now, deadLetterFile }) {
    const { reactions: settings = {}, configFile, hostId, url, ecosystem, token } = options;
    if (Object.values(settings).every(({ enabled }) => !enabled)) return undefined;
    const reactions = new Reactions({
      ...{ settings, db, inbox, spool, hostId, log, now },
      edge: { url, ecosystem, token },
      baseDir: configFile === undefined ? process.cwd() : dirname(configFile),
      deadLetters: deadLetterFile("reactions", DEAD_LETTERS_BYTES),
    });
    return { services: [reactions] };
  },
};
