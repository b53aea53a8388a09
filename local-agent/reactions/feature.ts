import { dirname, join } from "node:path";
import { durationHistogram } from "../feature/duration-histogram.ts";
import type { Feature } from "../feature/feature.ts";
import { registerReactionCommands } from "./commands.ts";
import { patternsOf, signalReactionNames } from "./open-reactions.ts";
import { Reactions } from "./reactions.ts";
import type { ReactionsFeatureOptions } from "./settings.ts";
import { REACTIONS_SINK } from "./signal-reactions.ts";

const DEAD_LETTERS_BYTES = 16 * 1024 * 1024;

/** Runs commands and built-ins when signals or tasks arrive. */
export const REACTIONS_FEATURE: Feature<ReactionsFeatureOptions> = {
  name: "reactions",
  reloadOn: ["reactions"],
  sinks: ({ reactions = {} }) => {
    const patterns = patternsOf(reactions);
    if (patterns.length === 0) return [];
    return [{ name: REACTIONS_SINK, patterns, because: `reactions: ${signalReactionNames(reactions).join(", ")}` }];
  },
  assemble({ options, register, db, inbox, spool, deadLetters, log, now, deadLetterFile }) {
    const { reactions: settings = {}, configFile, stateDir, hostId, url, ecosystem, token } = options;
    if (Object.values(settings).every(({ enabled }) => !enabled)) return undefined;
    const took = durationHistogram(
      register,
      "ganglion_agent_reaction_duration_seconds",
      "How long attempts of reactions took, by outcome",
      ["reaction", "outcome"],
    );
    const reactions = new Reactions({
      settings,
      db,
      inbox,
      spool,
      deadLetterOutbox: deadLetters,
      hostId,
      log,
      now,
      edge: { url, ecosystem, token },
      outputsDir: join(stateDir, "outputs"),
      baseDir: configFile === undefined ? process.cwd() : dirname(configFile),
      deadLetters: deadLetterFile("reactions", DEAD_LETTERS_BYTES),
      ran: (reaction, outcome, ms) => took({ reaction, outcome }, ms),
    });
    registerReactionCommands(register, reactions);
    register.provide("reactionsTo", (id) => reactions.runsOf(id));
    register.counter({
      name: "ganglion_agent_reaction_attempts",
      help: "Finished attempts of reactions, by outcome",
      labels: ["reaction", "outcome"],
      read: () =>
        [...reactions.outcomes].flatMap(([reaction, outcomes]) =>
          Object.entries(outcomes).map(([outcome, value]) => ({ reaction, outcome, value })),
        ),
    });
    register.gauge({
      name: "ganglion_agent_reaction_runs",
      help: "Runs of reactions that are waiting, running or given up",
      labels: ["reaction", "state"],
      read: () =>
        reactions
          .states()
          .flatMap(({ name: reaction, ...states }) =>
            Object.entries(states).map(([state, value]) => ({ reaction, state, value })),
          ),
    });
    return { services: [reactions], reload: (next) => reactions.configure(next.reactions ?? {}) };
  },
};
