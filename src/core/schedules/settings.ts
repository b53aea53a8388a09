import * as z from "zod";
import { ruleError } from "../policy/accept-rule.ts";
import { Duration } from "../policy/duration.ts";
import type { FieldError } from "../problem/field-error.ts";
import { fieldErrors } from "../problem/field-errors.ts";
import { Accept } from "../queue/accept.ts";
import { LEAST_URGENT, MOST_URGENT } from "../queue/task.ts";
import { jsonOf, NeedsInput, QUEUE_NAME, QUEUE_RULE, Recipient, TaskLimits } from "../queue/task-input.ts";
import { knownSignal } from "../signals/known-signals.ts";
import { SignalName } from "../signals/signal.ts";
import { durationMs } from "../times/duration.ts";
import { timesProblem } from "./times.ts";

/** Schedules of an ecosystem, at most. */
export const MAX_SCHEDULES = 10_000;
/** Times that were missed and are made up for, at most. */
const MAX_CATCH_UP = 100;
/** Runs of one schedule that are not over, at most. */
export const MAX_OPEN = 100;
const MAX_PAYLOAD_CHARS = 65_536;
const DAY_MS = 86_400_000;

export const SCHEDULE_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/;
export const SCHEDULE_RULE =
  "the name of a schedule starts with a letter or digit and holds letters, digits and . _ - (63 at most)";

export const OVERLAPS = ["skip", "allow", "replace", "queue"] as const;

const typeRule = "a type starts with a letter or digit and holds letters, digits and . _ : @ ~ - (256 at most)";

const Task = z.strictObject({
  queue: z.string().regex(QUEUE_NAME, { message: QUEUE_RULE }).default("work"),
  recipient: Recipient.meta({ description: "Who may take the task; *: anyone" }),
  type: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._:@~-]{0,255}$/, { message: typeRule }),
  payload: z.unknown().optional(),
  priority: z.int().min(MOST_URGENT).max(LEAST_URGENT).default(5),
  needs: NeedsInput.optional().meta({ description: "What a worker must have to be given the task" }),
  accept: Accept.optional().meta({ description: "How the task proves that it is done; absent: it need not" }),
  limits: TaskLimits.optional().meta({
    description: "Limits of the ecosystem: while one of them is closed, the task is parked",
  }),
  max_attempts: z.int().min(1).max(100).optional(),
  timeout: Duration.optional().meta({ description: "Longest time of one attempt" }),
  deadline: Duration.optional().meta({ description: "It fails when no worker has taken it within this time" }),
});

const Signal = z.strictObject({ signal: SignalName, facts: z.record(z.string(), z.unknown()).default({}) });

export const Limits = z.strictObject({
  late_start: Duration.optional().meta({
    description: "A run is taken by a worker, or reported, within this time of its own",
  }),
  late_finish: Duration.optional().meta({ description: "A run is over within this time of its own" }),
  extend_up_to: Duration.optional().meta({
    description: "A run that is alive at its `late_finish` may go on, up to this time after its own",
  }),
  too_fast: Duration.optional().meta({ description: "A run that was done sooner than this has probably done nothing" }),
  too_often: z
    .strictObject({
      runs: z.int().min(1).max(100).meta({ description: "Runs that are allowed" }),
      within: Duration.meta({ description: "The time in which they are counted" }),
    })
    .optional()
    .meta({ description: "More runs than this within that time, those by hand included" }),
});

/** A schedule as people write it. */
export const ScheduleInput = z.strictObject({
  description: z.string().max(500).optional(),
  cron: z
    .string()
    .min(1)
    .max(200)
    .optional()
    .meta({ description: "Five fields, or six with seconds", example: "0 3 * * *" }),
  every: Duration.optional().meta({ description: "A length of time, in the place of `cron`", example: "10m" }),
  zone: z.string().min(1).max(64).default("UTC").meta({ description: "IANA time zone", example: "Europe/Berlin" }),
  task: Task.optional().meta({ description: "Each run is such a task" }),
  signal: Signal.optional().meta({ description: "Each run is such a signal" }),
  overlap: z
    .enum(OVERLAPS)
    .default("skip")
    .meta({
      description:
        "What happens at a time at which an earlier run is not over. skip: nothing; allow: one run more; replace: the earlier " +
        "one is cancelled; queue: one run waits for the end of the earlier one",
    }),
  catch_up: z.int().min(0).max(MAX_CATCH_UP).default(1).meta({
    description: "How many of the times that the edge has missed are made up for, the newest first; 0: none",
  }),
  spread: Duration.optional().meta({
    description:
      "Runs are later by a part of this, always the same for one schedule, so that schedules do not come at once",
  }),
  limits: Limits.default({}).meta({ description: "Each that is broken is a signal, and needs somebody" }),
  paused: z
    .boolean()
    .optional()
    .meta({ description: "Makes no runs. Default: as it is; a new schedule is not paused" }),
});
export type ScheduleInput = z.input<typeof ScheduleInput>;
export type ScheduleSettings = z.output<typeof ScheduleInput>;

export type ScheduleAdmission =
  | { readonly ok: true; readonly settings: ScheduleSettings }
  | { readonly ok: false; readonly errors: FieldError[] };

/** Admits a schedule, or names everything that is wrong with it. */
export function admitSchedule(input: unknown): ScheduleAdmission {
  const parsed = ScheduleInput.safeParse(input);
  if (!parsed.success) return { ok: false, errors: fieldErrors(parsed.error.issues, "", ScheduleInput) };
  const errors = problemsOf(parsed.data);
  return errors.length > 0 ? { ok: false, errors } : { ok: true, settings: parsed.data };
}

function problemsOf(settings: ScheduleSettings): FieldError[] {
  const { cron, every, task, signal, limits, spread, overlap } = settings;
  const errors: FieldError[] = [];
  const wrong = (pointer: string, message: string) => errors.push({ pointer, message });
  if ((cron === undefined) === (every === undefined)) wrong("/cron", "give either cron or every");
  if (task !== undefined && signal !== undefined)
    wrong("/signal", "give a task or a signal, or neither where the job runs elsewhere and reports its runs");
  for (const [field, value] of Object.entries({ every, spread }))
    if (value !== undefined && msOf(value) % 1_000 !== 0) wrong(`/${field}`, "give whole seconds");
  const times = timesProblem(settings);
  if (times !== undefined) wrong(`/${times.field}`, times.message);
  if (task !== undefined) {
    const json = jsonOf(task.payload);
    if (typeof json !== "string") wrong("/task/payload", json.message);
    else if (json.length > MAX_PAYLOAD_CHARS)
      wrong("/task/payload", `is larger than ${MAX_PAYLOAD_CHARS} characters: send a reference to the data instead`);
    const rule = task.accept?.rule;
    const ruleWrong = rule === undefined ? undefined : ruleError(rule, "/task/accept/rule");
    if (ruleWrong !== undefined) errors.push(ruleWrong);
    for (const field of ["timeout", "deadline"] as const)
      if (task[field] !== undefined && msOf(task[field]) > 7 * DAY_MS)
        wrong(`/task/${field}`, "a task may have seven days");
  }
  if (signal !== undefined) {
    if (JSON.stringify(signal.facts).length > MAX_PAYLOAD_CHARS)
      wrong("/signal/facts", `are larger than ${MAX_PAYLOAD_CHARS} characters: send a reference to the data instead`);
    const known = knownSignal(signal.signal)?.facts.safeParse(signal.facts);
    if (known?.success === false) errors.push(...fieldErrors(known.error.issues, "/signal/facts"));
  }
  const { late_start, late_finish, extend_up_to, too_fast } = limits;
  if (task === undefined && signal === undefined) {
    if (late_start === undefined)
      wrong(
        "/limits/late_start",
        "say how long after its time the job may be silent: nothing else tells of its absence",
      );
    if (spread !== undefined) wrong("/spread", "the job keeps its own times: leave spread out");
  }
  if (signal !== undefined) {
    for (const [field, value] of Object.entries({ late_finish, extend_up_to, too_fast }))
      if (value !== undefined) wrong(`/limits/${field}`, "a signal takes no time: leave this limit out");
    if (overlap === "replace" || overlap === "queue") wrong("/overlap", "signals do not overlap: leave this out");
  }
  if (extend_up_to !== undefined && (late_finish === undefined || msOf(extend_up_to) <= msOf(late_finish)))
    wrong("/limits/extend_up_to", "give a longer time than late_finish, beside late_finish");
  return errors;
}

/** @param text - a checked duration, or nothing */
export const msOf = (text: string): number => durationMs(text) ?? 0;

/** What a run of the schedule is. */
export type ScheduleKind = "task" | "signal" | "outside";
export const kindOf = ({ task, signal }: Pick<ScheduleSettings, "task" | "signal">): ScheduleKind =>
  task !== undefined ? "task" : signal !== undefined ? "signal" : "outside";
