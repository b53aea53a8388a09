import type { FileTaskLayout } from "../../src/core/file-tasks/file-task.ts";
import type { Logger } from "../base/log.ts";
import type { FleetQueueOptions } from "./fleet-queue.ts";
import type { WorkerSettings } from "./settings.ts";
import type { TaskPlace } from "./task-directories.ts";
import type { TaskSignals } from "./task-signals.ts";

export interface FileWorkerOptions {
  readonly settings: WorkerSettings;
  readonly place: TaskPlace;
  readonly layout: FileTaskLayout;
  readonly host: string;
  readonly staleMs: number;
  /** Address of the edge, for workers with `scope: fleet`. */
  readonly edge: FleetQueueOptions;
  readonly signals: TaskSignals;
  readonly now: () => number;
  readonly log: Logger;
  readonly onChange: () => void;
  /** Numbers of a dropped task that JSON readers would change became texts. */
  readonly onKeptAsText: (count: number) => void;
  /** Called with the duration of each attempt that ended. */
  readonly onAttempt?: ((worker: string, seconds: number) => void) | undefined;
  /** Milliseconds between two scans of the directory; default 5,000. */
  readonly rescanMs?: number;
  /** Milliseconds for which a file that is not JSON must not change before it is dead-lettered; default 300. */
  readonly settleMs?: number;
}
