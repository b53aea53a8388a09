import { counterOf } from "../observability/instruments.ts";
import type { Room } from "../room.ts";
import { IntentSource } from "../sources/intents.ts";

/** Files dropped into a directory become signals (R21). */
export const INTENTS_ROOM: Room = {
  name: "intents",
  shownWhenOff: true,
  reloads: ["intentMap"],
  renews: ["sources", "intentsDir"],
  assemble({ options, spool, letters, commands, metrics, log, now }) {
    if (!options.sources.includes("intents")) return undefined;
    const { hostId, intentsDir: directory, intentMap: map } = options;
    const intents = new IntentSource({
      ...{ directory, hostId, spool, letters, now, log },
      ...(map !== undefined && { map }),
      ...options.intents,
    });
    commands.on("intent.replay", (payload) => intents.replay(payload));
    counterOf(
      ...([metrics, "ganglion_agent_intents", "Intent files that were routed, or moved to dead letters"] as const),
      () => [
        { outcome: "routed", value: intents.counts.routed },
        { outcome: "dead", value: intents.counts.dead },
      ],
      ["outcome"],
    );
    return { services: [intents], reload: (settings) => intents.setMap(settings.intentMap) };
  },
};
