import type { Feature } from "../feature/feature.ts";
import { IntentSource } from "./intent-source.ts";
import { ObservedFiles } from "./observed-files.ts";
import type { IntentsFeatureOptions } from "./settings.ts";

/** Turns files that are dropped into a directory into signals. */
export const INTENTS_FEATURE: Feature<IntentsFeatureOptions> = {
  name: "intents",
  shownWhenOff: true,
  reloadOn: ["intentMap"],
  restartOn: ["sources", "intentsDir", "intentMode"],
  assemble({ options, register, spool, deadLetters, log, now }) {
    if (!options.sources.includes("intents")) return undefined;
    const { hostId, intentsDir: directory, intentMap: map } = options;
    const observed = options.intentMode === "observe" ? new ObservedFiles(now) : undefined;
    if (observed !== undefined) {
      register.provide("heardOnBus", (signal, facts) => observed.heard(signal, facts));
      register.status(() => observed.report);
    }
    const intents = new IntentSource({
      observed,
      directory,
      hostId,
      spool,
      deadLetters,
      now,
      log,
      ...(map !== undefined && { map }),
      ...options.intents,
    });
    register.command("intent.replay", (payload) => intents.replay(payload));
    register.counter({
      name: "ganglion_agent_intents",
      help: "Intent files, routed or moved to dead letters",
      labels: ["outcome"],
      read: () => [
        { outcome: "routed", value: intents.counts.routed },
        { outcome: "dead", value: intents.counts.dead },
      ],
    });
    register.counter({
      name: "ganglion_agent_intent_values_kept_as_text",
      help: "Numbers of intent files that JSON readers would change, kept as text",
      read: () => intents.counts.keptAsText,
    });
    return { services: [intents], reload: (settings) => intents.setMap(settings.intentMap) };
  },
};
