import { dirname, join, resolve } from "node:path";
import { Counter, Gauge } from "prom-client";
import type { Room } from "../room.ts";
import type { AgentSettings } from "../settings.ts";
import { DropWorkers } from "./drop-workers.ts";
import { ENDINGS, ENDINGS_SINK, FleetEndings } from "./fleet-endings.ts";
import { WorkersSettings } from "./settings.ts";

/** Files dropped into directories are done by commands (R48–R51). */
export const WORKERS_ROOM: Room = {
  name: "workers",
  reloads: ["workers"],
  sinks: ({ workers }) =>
    workers?.run.some(({ scope }) => scope === "fleet") ? [{ name: ENDINGS_SINK, patterns: ENDINGS }] : [],
  assemble({ options, spool, inbox, log, now, metrics }) {
    const { workers } = options;
    if (workers === undefined || workers.run.length === 0) return undefined;
    const service = new DropWorkers({
      ...{ settings: workers, root: rootOf(options, workers), host: options.hostId },
      ...{ spool, now, log },
      edge: { url: options.url, token: options.token, ecosystem: options.ecosystem },
    });
    const fleet = workers.run.some(({ scope }) => scope === "fleet");
    const registers = [metrics];
    new Gauge({
      ...{ name: "ganglion_worker_tasks", help: "Dropped tasks by what they wait for", registers },
      labelNames: ["worker", "state"],
      collect() {
        for (const { worker, running, waiting, retrying } of service.health) {
          this.set({ worker, state: "running" }, running.length);
          this.set({ worker, state: "waiting" }, waiting);
          this.set({ worker, state: "retrying" }, retrying);
        }
      },
    });
    new Counter({
      ...{ name: "ganglion_worker_tasks_done", help: "Dropped tasks that are over", registers },
      labelNames: ["worker", "outcome"],
      collect() {
        this.reset();
        for (const { worker, complete, failed } of service.health) {
          this.inc({ worker, outcome: "complete" }, complete);
          this.inc({ worker, outcome: "failed" }, failed);
        }
      },
    });
    return {
      services: fleet ? [service, new FleetEndings({ inbox, ended: (id) => service.ended(id), log })] : [service],
      status: () => service.health.map(({ worker, state, running }) => ({ worker, state, running })),
      reload: (settings) => service.configure(settings.workers ?? WorkersSettings.parse({})),
    };
  },
};

/** A path in the file is meant from where the file is. */
function rootOf({ configFile, stateDir }: AgentSettings, { directory }: WorkersSettings): string {
  if (directory === undefined) return join(stateDir, "workers");
  return resolve(configFile === undefined ? process.cwd() : dirname(configFile), directory);
}
