import * as z from "zod";
import type { Writable } from "../collections/writable.ts";
import { LIMIT_NAME, LIMIT_RULE } from "../limits/name.ts";
import type { FieldError } from "../problem/field-error.ts";
import { fieldErrors } from "../problem/field-errors.ts";
import { exceedsBytes, LIMITS } from "../signals/limits.ts";
import { IDENTIFIER, TRACEPARENT } from "../signals/signal.ts";
import { Accept } from "./accept.ts";
import { writeNeeds } from "./needs.ts";
import { hasPlainCommon, isObjectOf, isWhole, type PlainCommon } from "./plain-task.ts";
import { ANYONE, LEAST_URGENT, MOST_URGENT, type NewTask, type TaskCause } from "./task.ts";

/** Name of a queue: a path segment that needs no escaping. */
export const QUEUE_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/;
export const QUEUE_RULE =
  "the name of a queue starts with a letter or digit and holds letters, digits and . _ - (63 at most)";

/** Most tasks in one request, frame or lease. */
export const MAX_TASKS = LIMITS.batchSignals;
export const MAX_LEASE_MS = 3_600_000;
export const DEFAULT_LEASE_MS = 30_000;
export const MAX_WAIT_MS = 30_000;
/** Skills of a task or a worker, and characters of one: a channel's own must outlive hibernation. */
const MAX_SKILLS = 16;
const MAX_SKILL = 64;
/** Limits that one task names. */
const MAX_LIMITS = 8;
const WEEK_MS = 7 * 86_400_000;

/**
 * Id of a task: as that of a signal, and `/` between such names, because many programs number their work below something
 * (`user/234`). In a path it is percent-encoded. Each name starts with a letter or digit, so that no id climbs out of a
 * directory or ends in a slash.
 */
export const TASK_ID = /^(?=.{1,256}$)[A-Za-z0-9][A-Za-z0-9._:@~-]*(?:\/[A-Za-z0-9][A-Za-z0-9._:@~-]*)*$/;
export const TASK_ID_RULE =
  "an id starts with a letter or digit and holds letters, digits and . _ : @ ~ -, or several such names with / between " +
  "them (256 characters at most; write / as %2F in a path)";

const rule = "starts with a letter or digit and holds letters, digits and . _ : @ ~ - (256 at most)";
const identifier = (name: string) => z.string().regex(IDENTIFIER, { message: `${name} ${rule}` });
export const isTaskId = (value: unknown): boolean => typeof value === "string" && TASK_ID.test(value);
export const TaskId = z.string().regex(TASK_ID, { message: TASK_ID_RULE });
export const Recipient = z.union([z.literal(ANYONE), identifier("a recipient, other than *,")], {
  error: `a recipient is * (anyone) or ${rule}`,
});
const duration = (min: number, max: number) => z.int().min(min).max(max);
export const LeaseMs = duration(100, MAX_LEASE_MS);

/** A skill that a task needs, or a worker has. */
export const Skills = z
  .array(
    identifier("a skill").refine((skill) => skill.length <= MAX_SKILL, { message: `${MAX_SKILL} characters at most` }),
  )
  .max(MAX_SKILLS)
  .transform((skills) => [...new Set(skills)].sort());

const MAX_LABELS = 8;
/** Labels of a host, such as `{"zone": "a"}`. */
export const Labels = z
  .record(
    z
      .string()
      .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/, { message: "a label is letters, digits and . _ - (63 at most)" }),
    z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/, {
      message: "a label's value is letters, digits and . _ - (63 at most)",
    }),
  )
  .refine((labels) => Object.keys(labels).length <= MAX_LABELS, { message: `${MAX_LABELS} labels at most` });
/** The host that a worker runs on. */
export const HostName = identifier("a host");

/** What a worker must have to be given a task, wherever one is written: by a caller, a rule or a schedule. */
export const NeedsInput = z.strictObject({
  skills: Skills.optional(),
  /** Free memory of one GPU of the worker's host, in MB. */
  gpu_memory_mb: z.int().min(1).max(100_000_000).optional(),
  labels: Labels.optional(),
});

export const DEFAULT_PRIORITY = 5;
export const MAX_ATTEMPTS = 100;
/** Longest time that a caller waits. */
export const MAX_CALL_MS = 300_000;
export const CALL_DEFAULTS = { timeout_ms: 5_000, max_attempts: 3, require_responder: false } as const;

/** Fields of both tasks and calls. */
const CommonFields = {
  recipient: Recipient,
  type: identifier("a type"),
  /** Any JSON value. */
  payload: z.unknown(),
  sender: z.string().min(1).max(LIMITS.identifierLength).nullish(),
  priority: z.int().min(MOST_URGENT).max(LEAST_URGENT).default(DEFAULT_PRIORITY),
  /** What a worker must have to be given the task. */
  needs: NeedsInput.nullish(),
  /** Id of the signal that led to the task. Signals that follow from the task name the same cause. */
  cause: identifier("an id").nullish(),
  /** W3C traceparent that the task continues. */
  trace: z.string().regex(TRACEPARENT, { message: "give a W3C traceparent: 00-<32 hex>-<16 hex>-<2 hex>" }).nullish(),
  /** Length of the chain of causes above the task: one more than the depth of its cause. Default 1. */
  depth: z.int().min(1).max(1_000).nullish(),
};

/** The field `needs` of a task, as a queue keeps it; nothing where nothing is needed. */
export function needsOf(task: { readonly needs?: z.output<typeof NeedsInput> | null | undefined }): {
  needs?: string[];
} {
  const words = writeNeeds(task.needs ?? {});
  return words === undefined ? {} : { needs: [...words] };
}

/** A trace without a cause comes from outside: the task continues it, and belongs to no chain of signals. */
const outsideTrace = ({ cause, trace }: Pick<PlainCommon, "cause" | "trace">): { trace?: string } =>
  typeof cause !== "string" && typeof trace === "string" ? { trace } : {};

/** A depth without a cause is dropped: no chain could be followed by it. */
function causeOf({ cause, trace, depth }: Pick<PlainCommon, "cause" | "trace" | "depth">): TaskCause | null {
  if (typeof cause !== "string") return null;
  return { id: cause, ...(typeof trace === "string" ? { trace } : {}), depth: depth ?? 1 };
}

/** Limits of the ecosystem: while one of them is closed, the task is parked. */
export const TaskLimits = z
  .array(z.string().regex(LIMIT_NAME, { message: LIMIT_RULE }))
  .max(MAX_LIMITS)
  .transform((names) => [...new Set(names)].sort());

/** A task as a caller sends it. An unknown field is refused: a misspelt option that is dropped would go unnoticed. */
export const TaskInput = z.strictObject({
  ...CommonFields,
  task_id: TaskId.optional(),
  /** The task cannot be leased before this time has passed. All durations are in milliseconds. */
  delay_ms: duration(0, WEEK_MS).default(0),
  max_attempts: z.int().min(1).max(MAX_ATTEMPTS).optional(),
  /** Longest time of one attempt, however often its lease is extended. */
  timeout_ms: duration(1, WEEK_MS).nullish(),
  /** The task fails when no worker has taken it within this time. */
  deadline_ms: duration(1, WEEK_MS).nullish(),
  limits: TaskLimits.nullish(),
  /** How the task proves that it is done; default: whoever completes it is believed. */
  accept: Accept.nullish().meta({
    description: "How the task proves that it is done; default: whoever completes it is believed",
  }),
  /** Accepted and ignored: the queue goes by its own clock. */
  timestamp: z.unknown().optional(),
});

export type TaskInput = z.input<typeof TaskInput>;

/** A call: a task whose sender waits for the result. */
export const CallInput = z.strictObject({
  ...CommonFields,
  /** Id of the call: a call that is sent again under the same id is not run twice. Default: a new id. */
  correlation_id: TaskId.optional(),
  timeout_ms: duration(1, MAX_CALL_MS).default(CALL_DEFAULTS.timeout_ms),
  max_attempts: z.int().min(1).max(MAX_ATTEMPTS).default(CALL_DEFAULTS.max_attempts),
  /** Refuse the call at once when no worker is connected that could answer. */
  require_responder: z.boolean().default(CALL_DEFAULTS.require_responder),
});
export type CallInput = z.output<typeof CallInput>;

export type TaskAdmission =
  | { readonly ok: true; readonly task: NewTask }
  | { readonly ok: false; readonly errors: FieldError[] };

/** The members of a task as most callers write it. */
const PLAIN_TASK = new Set([
  ...["recipient", "type", "payload", "sender", "priority", "cause", "trace", "depth"],
  ...["task_id", "delay_ms", "max_attempts", "timeout_ms", "deadline_ms", "timestamp"],
]);

/** What {@link TaskInput} makes of a task, and what it would make of one that it need not be asked about. */
type AdmittedTask = PlainCommon & Partial<Omit<z.output<typeof TaskInput>, keyof PlainCommon>>;

/** Whether {@link TaskInput} would take the task as it is, but for its defaults. `false`: it decides. */
export function isPlainTask(input: unknown): input is AdmittedTask {
  if (!isObjectOf(input, PLAIN_TASK) || !hasPlainCommon(input, input.type)) return false;
  const { task_id, delay_ms, max_attempts, timeout_ms, deadline_ms } = input;
  return (
    (task_id === undefined || isTaskId(task_id)) &&
    (delay_ms === undefined || isWhole(delay_ms, 0, WEEK_MS)) &&
    (max_attempts === undefined || isWhole(max_attempts, 1, MAX_ATTEMPTS)) &&
    (timeout_ms === undefined || timeout_ms === null || isWhole(timeout_ms, 1, WEEK_MS)) &&
    (deadline_ms === undefined || deadline_ms === null || isWhole(deadline_ms, 1, WEEK_MS))
  );
}

/** @param at - JSON pointer of `input` in the document that carried it */
export function admitTask(input: unknown, at = ""): TaskAdmission {
  if (isPlainTask(input)) return admitted(input, at);
  const parsed = TaskInput.safeParse(input);
  return parsed.success ? admitted(parsed.data, at) : { ok: false, errors: taskErrors(parsed.error.issues, at) };
}

function admitted(data: AdmittedTask, at: string): TaskAdmission {
  const payloadJson = jsonOf(data.payload);
  if (typeof payloadJson !== "string") return { ok: false, errors: [{ ...payloadJson, pointer: `${at}/payload` }] };
  // Fields that few tasks have are added after the literal: see addRareTerms.
  const task: Writable<NewTask> = {
    taskId: data.task_id,
    recipient: data.recipient,
    type: data.type,
    payloadJson,
    sender: data.sender ?? null,
    priority: data.priority ?? DEFAULT_PRIORITY,
    delayMs: data.delay_ms ?? 0,
    maxAttempts: data.max_attempts,
    timeoutMs: data.timeout_ms ?? null,
    deadlineMs: data.deadline_ms ?? null,
    caller: null,
    cause: causeOf(data),
  };
  addNeedsAndTrace(task, data);
  if (data.limits != null && data.limits.length > 0) task.limits = data.limits;
  if (data.accept != null) task.accept = data.accept;
  return { ok: true, task };
}

/** @param caller - receiver of the reply, see {@link NewTask.caller} */
export function taskOfCall(call: CallInput, correlationId: string, payloadJson: string, caller: string): NewTask {
  const task: Writable<NewTask> = {
    taskId: correlationId,
    recipient: call.recipient,
    type: call.type,
    payloadJson,
    sender: call.sender ?? null,
    priority: call.priority,
    delayMs: 0,
    maxAttempts: call.max_attempts,
    timeoutMs: null,
    deadlineMs: call.timeout_ms,
    caller,
    cause: causeOf(call),
  };
  addNeedsAndTrace(task, call);
  return task;
}

function addNeedsAndTrace(task: Writable<NewTask>, from: Pick<AdmittedTask, "needs" | "cause" | "trace">): void {
  if (from.needs != null) Object.assign(task, needsOf(from));
  if (from.trace != null) Object.assign(task, outsideTrace(from));
}

/** JSON of a payload or result, or the reason for which the value is refused. */
export function jsonOf(value: unknown): string | { message: string } {
  let json: string;
  try {
    json = JSON.stringify(value ?? null);
  } catch (error) {
    // JSON.stringify recurses, and a caller can send 30,000 opening brackets.
    if (error instanceof RangeError) return { message: "is nested too deeply" };
    throw error;
  }
  return exceedsBytes(json, LIMITS.signalBytes)
    ? { message: `is larger than ${LIMITS.signalBytes} bytes: send a reference to the data instead` }
    : json;
}

/** Errors of a task that does not fit its schema. @param at - JSON pointer of the task in its document */
export function taskErrors(issues: Parameters<typeof fieldErrors>[0], at: string): FieldError[] {
  return fieldErrors(issues, at, undefined, { extrasGoInto: "payload" });
}
