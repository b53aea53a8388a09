import type { Feature } from "../base/feature.ts";
import { counterOf } from "../telemetry/instruments.ts";
import { IntentSource } from "./intent-source.ts";

/** Files dropped into a directory become signals. */
export const INTENTS_ROOM: Feature = {
  name: "intents",
  shownWhenOff: true,
  reloads: ["intentMap"],
  renews: ["sources", "intentsDir"],
  assemble({ options, spool, letters, commands, metrics, log, now }) {
    if (!options.sources.includes("intents")) return undefined;
    const { hostId, intentsDir: directory, intentMap: map } = options;
    const intents = new IntentSource({
      directory,
      hostId,
      spool,
      deadLetters: letters,
      now,
      log,
      ...(map !== undefined && { map }),
      ...options.intents,
    });
    commands.on("intent.replay", (payload) => intents.replay(payload));
    counterOf(
      metrics,
      "ganglion_agent_intents",
      "Intent files that were routed, or moved to dead letters",
      () => [
        { outcome: "routed", value: intents.counts.routed },
        { outcome: "dead", value: intents.counts.dead },
      ],
      ["outcome"],
    );
    return { services: [intents], reload: (settings) => intents.setMap(settings.intentMap) };
  },
};
