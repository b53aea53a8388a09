import { dirname, join, resolve } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { durationHistogram } from "../feature/duration-histogram.ts";
import type { Feature } from "../feature/feature.ts";
import { classicDurations, registerClassicMetrics } from "./classic-metrics.ts";
import { FileWorkers } from "./file-workers.ts";
import { ENDINGS, ENDINGS_SINK, FleetEndings } from "./fleet-endings.ts";
import { HeartbeatWatch } from "./heartbeat-watch.ts";
import { type FileTasksFeatureOptions, WorkersSettings } from "./settings.ts";

/** Runs commands for task files that are dropped into directories. */
export const FILE_TASKS_FEATURE: Feature<FileTasksFeatureOptions> = {
  name: "workers",
  reloadOn: ["workers"],
  sinks: ({ workers }) =>
    workers !== undefined && hasFleet(workers)
      ? [{ name: ENDINGS_SINK, patterns: ENDINGS, because: "tasks of the fleet, whose ends these are" }]
      : [],
  assemble({ options, register, spool, inbox, deadLetters, log, now }) {
    const { workers } = options;
    if (workers === undefined || workers.run.length === 0) return undefined;
    const place = placeOf(options, workers);
    const { root } = place;
    const took = durationHistogram(
      register,
      "ganglion_worker_task_duration_seconds",
      "How long attempts at dropped tasks took",
      ["worker"],
    );
    const classicTook = workers.layout === "classic" ? classicDurations(register) : undefined;
    const service = new FileWorkers({
      settings: { ...workers, directories: place.directories },
      root,
      host: options.hostId,
      onAttempt: (worker, seconds) => {
        took({ worker }, seconds * 1_000);
        classicTook?.(worker, seconds);
      },
      spool,
      now,
      log,
      edge: { url: options.url, token: options.token, ecosystem: options.ecosystem },
    });
    let heartbeatSeconds = workers.heartbeat_seconds;
    const watch = new HeartbeatWatch({
      directory: place.directories.heartbeats ?? join(root, "heartbeats"),
      host: options.hostId,
      own: () => service.health.map(({ worker }) => worker),
      staleMs: () => Math.max(STALE_MS, 3_000 * heartbeatSeconds),
      spool,
      now,
      log,
    });
    const fleet = hasFleet(workers);
    const ended = (id: string) => service.ended(id);
    const unhandled = { outbox: deadLetters, hostId: options.hostId };
    register.gauge({
      name: "ganglion_worker_tasks",
      help: "Dropped tasks, by state",
      labels: ["worker", "state"],
      read: () =>
        service.health.flatMap(({ worker, running, waiting, retrying }) => [
          { worker, state: "running", value: running.length },
          { worker, state: "waiting", value: waiting },
          { worker, state: "retrying", value: retrying },
        ]),
    });
    register.counter({
      name: "ganglion_worker_tasks_done",
      help: "Finished dropped tasks, by outcome",
      labels: ["worker", "outcome"],
      read: () =>
        service.health.flatMap(({ worker, complete, failed }) => [
          { worker, outcome: "complete", value: complete },
          { worker, outcome: "failed", value: failed },
        ]),
    });
    register.counter({
      name: "ganglion_worker_task_values_kept_as_text",
      help: "Numbers of dropped tasks that JSON readers would change, kept as text",
      read: () => service.keptAsText,
    });
    if (workers.layout === "classic") registerClassicMetrics(register, service);
    register.status(() => service.health.map(({ worker, state, running }) => ({ worker, state, running })));
    return {
      services: [service, watch, ...(fleet ? [new FleetEndings({ inbox, ended, log, deadLetters: unhandled })] : [])],
      reload: (settings) => {
        const next = settings.workers ?? WorkersSettings.parse({});
        // Another tree needs watches of other directories, and a service of its own receives the outcomes of fleet tasks.
        const isSame = isDeepStrictEqual(placeOf(settings, next), place) && next.layout === workers.layout;
        if (!isSame || hasFleet(next) !== fleet) return false;
        heartbeatSeconds = next.heartbeat_seconds;
        return service.configure({ ...next, directories: place.directories });
      },
    };
  },
};

/** A heartbeat that has not changed for so long has stopped, unless heartbeats are rarer. */
const STALE_MS = 30_000;

const hasFleet = ({ run }: WorkersSettings): boolean => run.some(({ scope }) => scope === "fleet");

/** A path in the file is meant from where the file is. */
function placeOf({ configFile, stateDir }: FileTasksFeatureOptions, { directory, directories }: WorkersSettings) {
  const from = configFile === undefined ? process.cwd() : dirname(configFile);
  return {
    root: directory === undefined ? join(stateDir, "workers") : resolve(from, directory),
    directories: Object.fromEntries<string>(
      Object.entries(directories).flatMap(([name, path]) => (path === undefined ? [] : [[name, resolve(from, path)]])),
    ),
  };
}
