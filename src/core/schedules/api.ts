import * as z from "zod";
import { Timestamp } from "../signals/timestamp-schema.ts";
import { ScheduleInput } from "./settings.ts";
import { LIMITS, RUN_OUTCOMES } from "./state.ts";

const Limit = z.enum(LIMITS);

/** A run of a schedule, or a time at which there was none. */
export const ScheduleRun = z.object({
  run: z.string().meta({ description: "Id of the run; of its task, where it is one" }),
  time: Timestamp.meta({ description: "The time of the schedule that it belongs to; by hand, when it was asked for" }),
  through: Timestamp.optional().meta({ description: "The last of several times, where they were missed together" }),
  by: z.enum(["time", "catch_up", "hand", "report"]).meta({ description: "Why the run was made" }),
  state: z.enum(["waiting", "queued", "running", ...RUN_OUTCOMES]).meta({
    description:
      "waiting: for the end of an earlier run; queued, running: its task; lost: nobody knows its end; skipped, missed: there " +
      "was no run, see `why`; the others: how its task ended",
  }),
  made_at: Timestamp.nullable().meta({ description: "When the run was made; null: it waits" }),
  taken_at: Timestamp.nullable().meta({ description: "When a worker took it, or its beginning was reported" }),
  ended_at: Timestamp.nullable().meta({ description: "When it was over; null: it is not" }),
  why: z.string().optional().meta({ description: "Why it failed, or why there was none" }),
  broke: z.array(Limit).readonly().meta({ description: "The limits that it broke" }),
});
export type ScheduleRun = Readonly<z.infer<typeof ScheduleRun>>;

export const BrokenLimit = z.object({
  limit: Limit,
  since: Timestamp,
  run: z.string().nullable().meta({ description: "The run that broke it; null: none came" }),
  value: z.number().meta({ description: "Milliseconds, or runs, when it was broken" }),
  allowed: z.number().meta({ description: "Milliseconds, or runs, that the limit allows" }),
});
export type BrokenLimit = Readonly<z.infer<typeof BrokenLimit>>;

/** A schedule as it is. */
export const Schedule = z.object({
  name: z.string().meta({ description: "Name of the schedule" }),
  ...ScheduleInput.omit({ paused: true }).shape,
  paused: z.boolean().meta({ description: "Whether it makes no runs" }),
  created_at: Timestamp,
  changed_at: Timestamp,
  next_at: Timestamp.nullable().meta({ description: "Its next time, without its spread; null: paused, or none comes" }),
  open: z.array(ScheduleRun).readonly().meta({ description: "Runs that are not over" }),
  broken: z.array(BrokenLimit).readonly().meta({ description: "Limits that are broken now" }),
  last: ScheduleRun.nullable().meta({ description: "The last run that is over" }),
});
export type Schedule = Readonly<z.infer<typeof Schedule>>;

export const SchedulePage = z.object({
  schedules: z.array(Schedule).readonly().meta({ description: "By name" }),
  next: z.string().nullable().meta({ description: "Give this as `after` for the next page; null: there is none" }),
});
export type SchedulePage = Readonly<z.infer<typeof SchedulePage>>;

export const ScheduleRuns = z.object({
  runs: z
    .array(ScheduleRun)
    .readonly()
    .meta({ description: "The newest first: those that are open, then the last 50" }),
});
export type ScheduleRuns = Readonly<z.infer<typeof ScheduleRuns>>;

/** What a job that runs elsewhere reports. */
export const RunReport = z.strictObject({
  state: z.enum(["started", "progress", "finished", "failed"]),
  run: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9._:@~-]{0,127}$/, {
      message: "a run's id starts with a letter or digit and holds letters, digits and . _ : @ ~ - (128 at most)",
    })
    .optional()
    .meta({ description: "Your id of the run: a report that is sent again counts once" }),
  error: z.string().max(2_000).optional().meta({ description: "Of a run that failed: why" }),
});
export type RunReport = z.infer<typeof RunReport>;

/** What was broken when attention was asked for. */
export const ScheduleFinding = z.object({
  schedule: z.string(),
  outside: z.boolean(),
  recipient: z.string().nullable(),
  queue: z.string().nullable(),
  ...BrokenLimit.shape,
  signal: z.string().nullable(),
});
export type ScheduleFinding = Readonly<z.infer<typeof ScheduleFinding>>;
