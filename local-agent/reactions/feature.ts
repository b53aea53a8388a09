import { dirname } from "node:path";
import type { Feature } from "../base/feature.ts";
import { counterOf, gaugeOf } from "../telemetry/instruments.ts";
import { commandReactions } from "./commands.ts";
import { patternsOf } from "./open-reactions.ts";
import { Reactions } from "./reactions.ts";
import { REACTIONS_SINK } from "./signal-reactions.ts";

const DEAD_LETTERS_BYTES = 16 * 1024 * 1024;

/** What the host does about signals (R25–R27). */
export const REACTIONS_ROOM: Feature = {
  name: "reactions",
  reloads: ["reactions"],
  sinks: ({ reactions = {} }) => {
    const patterns = patternsOf(reactions);
    return patterns.length === 0 ? [] : [{ name: REACTIONS_SINK, patterns }];
  },
  assemble({ options, db, inbox, spool, letters, log, now, commands, metrics, deadLetterFile }) {
    const { reactions: settings = {}, configFile, hostId, url, ecosystem, token } = options;
    if (Object.values(settings).every(({ enabled }) => !enabled)) return undefined;
    const reactions = new Reactions({
      ...{ settings, db, inbox, spool, letters, hostId, log, now },
      edge: { url, ecosystem, token },
      baseDir: configFile === undefined ? process.cwd() : dirname(configFile),
      deadLetters: deadLetterFile("reactions", DEAD_LETTERS_BYTES),
    });
    commandReactions(commands, reactions);
    counterOf(
      ...([
        metrics,
        "ganglion_agent_reaction_attempts",
        "Attempts of reactions that ended, by what became of them",
      ] as const),
      () =>
        [...reactions.outcomes].flatMap(([reaction, outcomes]) =>
          Object.entries(outcomes).map(([outcome, value]) => ({ reaction, outcome, value })),
        ),
      ["reaction", "outcome"],
    );
    gaugeOf(
      ...([
        metrics,
        "ganglion_agent_reaction_runs",
        "Runs of reactions that wait, are made, or were given up",
      ] as const),
      () =>
        reactions
          .states()
          .flatMap(({ name: reaction, ...states }) =>
            Object.entries(states).map(([state, value]) => ({ reaction, state, value })),
          ),
      ["reaction", "state"],
    );
    return { services: [reactions], reload: (next) => reactions.configure(next.reactions ?? {}) };
  },
};
