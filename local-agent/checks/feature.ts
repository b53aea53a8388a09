import type { Feature } from "../feature/feature.ts";
import { CheckRunner } from "./check-runner.ts";
import type { ChecksFeatureOptions } from "./settings.ts";

/** Runs the checks of the settings for tasks that were reported complete. */
export const CHECKS_FEATURE: Feature<ChecksFeatureOptions> = {
  name: "checks",
  restartOn: ["checks"],
  assemble({ options, register, log }) {
    const { checks, ...host } = options;
    if (checks === undefined || Object.keys(checks).length === 0) return undefined;
    const runner = new CheckRunner({ ...host, checks, log });
    register.status(() => runner.status);
    register.counter({
      name: "ganglion_checks_run",
      help: "Runs of checks that ended, by check and whether the task was accepted",
      labels: ["check", "accepted"],
      read: () => runner.counts,
    });
    return { services: [runner] };
  },
};
