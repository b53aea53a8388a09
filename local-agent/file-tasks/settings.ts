import * as z from "zod";
import { FILE_TASK_LAYOUTS, WorkerName } from "../../src/core/file-tasks/file-task.ts";
import { PathSetting } from "../base/setting-schemas.ts";
import type { HostSettings } from "../feature/feature.ts";

const seconds = (message: string) => z.number().positive(message);

/** One file worker: a directory for tasks, and the command that runs them. */
export const WorkerSettings = z.strictObject({
  name: WorkerName,
  /** The program and its arguments; it is not a shell's line. It gets the task as JSON on its standard input. */
  command: z.array(z.string().min(1)).min(1, "give the program and its arguments, such as [python3, review.py]"),
  /** Directory that the command runs in; default: the root of the task directories. */
  directory: z.string().min(1).optional(),
  environment: z.record(z.string(), z.string()).default({}),
  /**
   * Who may do the tasks that are dropped here: this host, or those that share the directory; or any host of the
   * ecosystem that has a worker of this name, as the edge gives them out.
   */
  scope: z.enum(["host", "fleet"], "give host or fleet").default("host"),
  /** Tasks at the same time on this host. */
  concurrency: z.int().min(1, "1 at least").max(10, "10 at most").default(1),
  timeout_seconds: seconds("more than 0").default(600),
  /** Attempts in all; between them a pause that grows from `retry_seconds` by `retry_factor` up to `retry_max_seconds`. */
  attempts: z.int().min(1).max(20).default(3),
  retry_seconds: seconds("more than 0").default(1),
  retry_factor: z.number().min(1, "1 at least").max(10, "10 at most").default(2),
  retry_max_seconds: seconds("more than 0").default(60),
  /** After so many failures in a row no task is claimed for `breaker_seconds`; then one is tried. */
  breaker_failures: z.int().min(1).default(5),
  breaker_seconds: seconds("more than 0").default(60),
});
export type WorkerSettings = z.infer<typeof WorkerSettings>;

/** Section `workers` of the configuration: file workers. Without an entry in `run`, no directory is watched. */
export const WorkersSettings = z
  .strictObject({
    /** Holds `tasks`, `results`, `triggers`, `heartbeats` and `dlq`; default `<state directory>/workers`. */
    directory: z.string().min(1).optional(),
    /** Directories that do not lie there under their usual names. */
    directories: z
      .strictObject({
        tasks: PathSetting.optional(),
        results: PathSetting.optional(),
        triggers: PathSetting.optional(),
        heartbeats: PathSetting.optional(),
        dlq: PathSetting.optional(),
      })
      .default({}),
    /** `classic`: files as the older watcher of file tasks writes them, with its names of metrics and its variables. */
    layout: z.enum(FILE_TASK_LAYOUTS, "give ganglion or classic").default("ganglion"),
    heartbeat_seconds: seconds("more than 0").default(10),
    /** A claim of another host that was not renewed for so long is abandoned. */
    stale_seconds: seconds("more than 0").default(60),
    run: z
      .array(WorkerSettings)
      .refine((list) => new Set(list.map(({ name }) => name)).size === list.length, {
        message: "two workers have the same name",
      })
      .default([]),
  })
  .refine(({ heartbeat_seconds, stale_seconds }) => stale_seconds >= 3 * heartbeat_seconds, {
    path: ["stale_seconds"],
    message: "give at least three times heartbeat_seconds: a claim is renewed with each heartbeat",
  });
export type WorkersSettings = z.infer<typeof WorkersSettings>;

export interface FileTasksFeatureOptions extends HostSettings {
  readonly workers?: WorkersSettings | undefined;
}
