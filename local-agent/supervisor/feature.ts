import { dirname } from "node:path";
import type { Feature } from "../feature/feature.ts";
import { registerSupervisorCommands } from "./commands.ts";
import { registerSupervisorMetrics } from "./metrics.ts";
import type { SupervisorFeatureOptions } from "./settings.ts";
import { Supervisor } from "./supervisor.ts";

/** Keeps the configured agents running as child processes. */
export const SUPERVISOR_FEATURE: Feature<SupervisorFeatureOptions> = {
  name: "agents",
  reloadOn: ["agents"],
  assemble({ options, register, db, spool, log, now }) {
    const { agents, url, token, ecosystem, hostId, stateDir, configFile } = options;
    if (agents === undefined || Object.keys(agents).length === 0) return undefined;
    const directory = configFile === undefined ? process.cwd() : dirname(configFile);
    const supervisor = new Supervisor({
      environment: { url, token, ecosystem, hostId, directory },
      agents,
      stateDir,
      db,
      spool,
      now,
      log,
      ...options.supervisor,
    });
    registerSupervisorCommands(register, supervisor);
    registerSupervisorMetrics(register, supervisor);
    register.status(() => supervisor.summary());
    return {
      services: [supervisor],
      reload: (settings) => supervisor.reload(settings.agents ?? {}),
    };
  },
};
