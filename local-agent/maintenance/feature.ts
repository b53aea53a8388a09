import { dirname, resolve } from "node:path";
import { createClient } from "../../src/client/client.ts";
import type { Feature } from "../feature/feature.ts";
import { MaintenanceFile } from "./maintenance-file.ts";
import type { MaintenanceFeatureOptions } from "./settings.ts";

/** Keeps the ecosystem in maintenance while a file of this host is there. */
export const MAINTENANCE_FEATURE: Feature<MaintenanceFeatureOptions> = {
  name: "maintenance",
  restartOn: ["maintenance"],
  assemble({ options, log }) {
    const { maintenance, configFile, hostId, url, token, ecosystem } = options;
    if (maintenance === undefined) return undefined;
    const path = resolve(configFile === undefined ? process.cwd() : dirname(configFile), maintenance.file);
    return {
      services: [
        new MaintenanceFile({ path, hostId, edge: () => createClient({ url, token: token(), ecosystem }), log }),
      ],
    };
  },
};
