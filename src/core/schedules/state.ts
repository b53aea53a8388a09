import * as z from "zod";

export const LIMITS = ["late_start", "late_finish", "too_fast", "too_often"] as const;
export type LimitName = (typeof LIMITS)[number];

/** Why a run was made. */
const By = z.enum(["time", "catch_up", "hand", "report"]);
export type By = z.infer<typeof By>;

/** A run that is not over. Times are in milliseconds since the epoch. */
export const OpenRun = z.object({
  /** Id of its task, or the id under which it is reported. */
  id: z.string(),
  /** The time of the schedule that it belongs to; by hand, when it was asked for. */
  timeMs: z.number(),
  /** The time from which its limits count: later than `timeMs` where the schedule is spread. */
  dueMs: z.number(),
  by: By,
  madeMs: z.number(),
  /** The queue has its task. */
  handed: z.boolean(),
  /** Its task is to be cancelled: another run takes its place. */
  cancel: z.boolean().optional(),
  takenMs: z.number().nullable(),
  /** When its `late_finish` is broken; later than that limit once it was extended. */
  finishByMs: z.number().nullable(),
  /** When it last reported progress. */
  aliveMs: z.number().optional(),
  broke: z.array(z.enum(LIMITS)),
});
export type OpenRun = z.infer<typeof OpenRun>;

export const RUN_OUTCOMES = [
  "complete",
  "failed",
  "expired",
  "dropped",
  "cancelled",
  "lost",
  "emitted",
  "skipped",
  "missed",
] as const;

/** A run that is over, or a time at which there was none. */
export const EndedRun = z.object({
  id: z.string(),
  timeMs: z.number(),
  by: By,
  madeMs: z.number(),
  takenMs: z.number().nullable(),
  endedMs: z.number(),
  outcome: z.enum(RUN_OUTCOMES),
  /** Why it failed, or was not made. */
  why: z.string().optional(),
  /** Of times that were missed: the last of them, where they are several. */
  throughMs: z.number().optional(),
  broke: z.array(z.enum(LIMITS)),
});
export type EndedRun = z.infer<typeof EndedRun>;

const Broken = z.object({
  sinceMs: z.number(),
  run: z.string().nullable(),
  value: z.number(),
  limit: z.number(),
  /** Id of the signal that told of it. */
  signal: z.string().optional(),
});
export type Broken = z.infer<typeof Broken>;

/** What is kept of a schedule beside its settings, as one row. */
export const ScheduleState = z.object({
  createdMs: z.number(),
  changedMs: z.number(),
  /** `every` counts from here. */
  anchorMs: z.number(),
  /** The times up to here are over: each had its run, or none. */
  lastMs: z.number(),
  pausedMs: z.number().nullable(),
  open: z.array(OpenRun),
  /** A time that waits for the end of the run before it. */
  waiting: z.object({ id: z.string(), timeMs: z.number(), by: By }).nullable(),
  /** Of a job elsewhere: the oldest of its times for which no report came. */
  expectedMs: z.number().nullable(),
  /** When runs were made, the newest last: as many as the limit `too_often` needs. */
  madeMs: z.array(z.number()),
  /** The last run that was over was done too fast: how long it took. */
  fast: z.object({ run: z.string(), tookMs: z.number() }).nullable(),
  /** The last signal was made so late. */
  late: z.object({ run: z.string(), byMs: z.number() }).nullable(),
  broken: z.partialRecord(z.enum(LIMITS), Broken),
  /** Not before this time are tasks handed over again that the queue did not take. */
  retryMs: z.number().nullable(),
  /** When the open runs are looked at, whatever else happens. */
  lookMs: z.number().nullable(),
  /** Ids of the reports of ends that came last, so that one that is repeated counts once. */
  reported: z.array(z.string()),
  last: EndedRun.nullable(),
});
export type ScheduleState = z.infer<typeof ScheduleState>;

export const newState = (nowMs: number, paused: boolean): ScheduleState => ({
  createdMs: nowMs,
  changedMs: nowMs,
  anchorMs: wholeSecond(nowMs),
  lastMs: nowMs,
  pausedMs: paused ? nowMs : null,
  open: [],
  waiting: null,
  expectedMs: null,
  madeMs: [],
  fast: null,
  late: null,
  broken: {},
  retryMs: null,
  lookMs: null,
  reported: [],
  last: null,
});

const wholeSecond = (ms: number) => Math.floor(ms / 1_000) * 1_000;
