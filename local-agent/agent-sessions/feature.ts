import type { Feature } from "../feature/feature.ts";
import type { SessionsFeatureOptions } from "./settings.ts";
import { TelemetryDoor } from "./telemetry-door.ts";
import { TelemetryIntake } from "./telemetry-intake.ts";

/** Takes in telemetry and hooks of agents on this host, also while the edge cannot be reached. */
export const AGENT_SESSIONS_FEATURE: Feature<SessionsFeatureOptions> = {
  name: "sessions",
  restartOn: ["sessions"],
  assemble({ options, register, spool, now, log }) {
    const { sessions, hostId } = options;
    if (sessions === undefined) return undefined;
    const intake = new TelemetryIntake({ content: sessions.content, hostId, spool, now });
    register.counter({
      name: "ganglion_agent_session_records",
      help: "Records of agents' telemetry and hooks, taken or refused",
      labels: ["outcome"],
      read: () => [
        { outcome: "taken", value: intake.counts.taken },
        { outcome: "refused", value: intake.counts.refused },
      ],
    });
    return { services: [new TelemetryDoor({ port: sessions.port, intake, log })] };
  },
};
