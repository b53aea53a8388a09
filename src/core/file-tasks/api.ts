import * as z from "zod";
import { Timestamp } from "../signals/timestamp-schema.ts";

const Count = z.int().nonnegative();

/** The state of a file task, as the signals of its host report it. */
export const FileTaskRecord = z.object({
  worker: z.string(),
  task_id: z.string(),
  claim: z.string().meta({ description: "Tells one file of a task id from a later one with the same id" }),
  status: z.enum(["running", "overdue", "complete", "failed"]),
  host: z.string(),
  attempt: Count,
  started_at: Timestamp,
  due_at: Timestamp.optional().meta({
    description: "The attempt is overdue after this time: its time limit, and a minute for the report of its end",
  }),
  finished_at: Timestamp.optional(),
  duration_ms: Count.optional(),
  error: z.string().optional(),
  result: z.unknown().optional(),
  result_path: z.string().optional().meta({ description: "Path of the result on its host, below the task directory" }),
});
export type FileTaskRecord = Readonly<z.infer<typeof FileTaskRecord>>;

/** Counts of the file tasks of a worker on a host, since its first task. */
export const FileWorkerCounts = z.object({
  worker: z.string(),
  host: z.string(),
  complete: Count,
  failed: Count,
  timed_out: Count.meta({ description: "Number of attempts whose end was not reported in time" }),
  last_at: Timestamp,
  last_error: z.string().optional(),
});
export type FileWorkerCounts = Readonly<z.infer<typeof FileWorkerCounts>>;

/** A worker of file tasks on a host: its counts, and its unfinished tasks. */
export const FileWorkerView = FileWorkerCounts.extend({
  running: Count,
  overdue: Count.meta({ description: "Number of tasks whose end was not reported in time" }),
});
export type FileWorkerView = Readonly<z.infer<typeof FileWorkerView>>;

export const FileWorkers = z.object({ workers: z.array(FileWorkerView) });

/** A worker on one host, with the last sign of life of the host. */
export const FileWorkerHealth = FileWorkerView.partial({ last_at: true }).extend({
  health: z.enum(["healthy", "open", "failing", "stopped", "stale", "absent"]).meta({
    description:
      "open: its circuit breaker; stale: its host is down, or has said nothing for 90 seconds; absent: the host runs no worker of this name now",
  }),
  heartbeat_at: Timestamp.nullable().meta({
    description: "Last sign of life of its host; null: the host is not known",
  }),
  heartbeat_age_ms: Count.nullable().meta({ description: "Age of that sign of life" }),
});
export type FileWorkerHealth = Readonly<z.infer<typeof FileWorkerHealth>>;

/** One worker, on each host that runs it or has run it. */
export const FileWorkerHosts = z.object({ worker: z.string(), hosts: z.array(FileWorkerHealth) });

/** Every file with one task id, the newest first. */
export const FileTasks = z.object({ tasks: z.array(FileTaskRecord) });
