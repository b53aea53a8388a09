import { dirname } from "node:path";
import type { Feature } from "../base/feature.ts";
import { commandSupervisor } from "./commands.ts";
import { registerSupervisorMetrics } from "./metrics.ts";
import { Supervisor } from "./supervisor.ts";

/** The configured agents, kept running as children of this process (R44). */
export const SUPERVISOR_ROOM: Feature = {
  name: "agents",
  reloads: ["agents"],
  assemble({ options, db, spool, log, now, commands, metrics }) {
    const { agents, url, token, ecosystem, hostId, stateDir, configFile } = options;
    if (agents === undefined || Object.keys(agents).length === 0) return undefined;
    const directory = configFile === undefined ? process.cwd() : dirname(configFile);
    const supervisor = new Supervisor({
      surroundings: { url, token, ecosystem, hostId, directory },
      ...{ agents, stateDir, db, spool, now, log },
      ...options.supervisor,
    });
    commandSupervisor(commands, supervisor);
    registerSupervisorMetrics(metrics, supervisor);
    return {
      services: [supervisor],
      status: () => supervisor.summary(),
      reload: (settings) => supervisor.reload(settings.agents ?? {}),
    };
  },
};
