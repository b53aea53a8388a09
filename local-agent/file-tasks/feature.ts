import { dirname, join, resolve } from "node:path";
import type { Feature } from "../base/feature.ts";
import type { AgentSettings } from "../config/settings.ts";
import { counterOf, gaugeOf } from "../telemetry/instruments.ts";
import { FileWorkers } from "./file-workers.ts";
import { ENDINGS, ENDINGS_SINK, FleetEndings } from "./fleet-endings.ts";
import { WorkersSettings } from "./settings.ts";

/** Files dropped into directories are done by commands (R48–R51). */
export const WORKERS_ROOM: Feature = {
  name: "workers",
  reloads: ["workers"],
  sinks: ({ workers }) =>
    workers !== undefined && hasFleet(workers) ? [{ name: ENDINGS_SINK, patterns: ENDINGS }] : [],
  assemble({ options, spool, inbox, log, now, metrics }) {
    const { workers } = options;
    if (workers === undefined || workers.run.length === 0) return undefined;
    const root = rootOf(options, workers);
    const service = new FileWorkers({
      ...{ settings: workers, root, host: options.hostId },
      ...{ spool, now, log },
      edge: { url: options.url, token: options.token, ecosystem: options.ecosystem },
    });
    const fleet = hasFleet(workers);
    gaugeOf(
      metrics,
      "ganglion_worker_tasks",
      "Dropped tasks by what they wait for",
      () =>
        service.health.flatMap(({ worker, running, waiting, retrying }) => [
          { worker, state: "running", value: running.length },
          { worker, state: "waiting", value: waiting },
          { worker, state: "retrying", value: retrying },
        ]),
      ["worker", "state"],
    );
    counterOf(
      metrics,
      "ganglion_worker_tasks_done",
      "Dropped tasks that are over",
      () =>
        service.health.flatMap(({ worker, complete, failed }) => [
          { worker, outcome: "complete", value: complete },
          { worker, outcome: "failed", value: failed },
        ]),
      ["worker", "outcome"],
    );
    return {
      services: fleet ? [service, new FleetEndings({ inbox, ended: (id) => service.ended(id), log })] : [service],
      status: () => service.health.map(({ worker, state, running }) => ({ worker, state, running })),
      reload: (settings) => {
        const next = settings.workers ?? WorkersSettings.parse({});
        // Another tree is other directories to watch, and the fleet's endings are heard by a service of their own.
        if (rootOf(settings, next) !== root || hasFleet(next) !== fleet) return false;
        return service.configure(next);
      },
    };
  },
};

const hasFleet = ({ run }: WorkersSettings): boolean => run.some(({ scope }) => scope === "fleet");

/** A path in the file is meant from where the file is. */
function rootOf({ configFile, stateDir }: AgentSettings, { directory }: WorkersSettings): string {
  if (directory === undefined) return join(stateDir, "workers");
  return resolve(configFile === undefined ? process.cwd() : dirname(configFile), directory);
}
