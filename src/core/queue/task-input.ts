import * as z from "zod";
import type { FieldError } from "../problem/field-error.ts";
import { fieldErrors } from "../problem/field-errors.ts";
import { exceedsBytes, LIMITS } from "../signals/limits.ts";
import { IDENTIFIER, TRACEPARENT } from "../signals/signal.ts";
import { ANYONE, LEAST_URGENT, MOST_URGENT, type NewTask, type TaskCause } from "./task.ts";

/** A queue's name: a path segment that needs no escaping. */
export const QUEUE_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/;
export const QUEUE_RULE =
  "a name of a queue starts with a letter or digit and holds letters, digits and . _ - (63 at most)";

/** Tasks in one request, frame or lease. */
export const MAX_TASKS = LIMITS.batchSignals;
export const MAX_LEASE_MS = 3_600_000;
export const DEFAULT_LEASE_MS = 30_000;
export const MAX_WAIT_MS = 30_000;
const WEEK_MS = 7 * 86_400_000;

const rule = "starts with a letter or digit and holds letters, digits and . _ : @ ~ - (256 at most)";
const identifier = (what: string) => z.string().regex(IDENTIFIER, { message: `${what} ${rule}` });
export const TaskId = identifier("an id");
export const Recipient = z.union([z.literal(ANYONE), identifier("a recipient, other than *,")], {
  error: `a recipient is * (anyone) or ${rule}`,
});
const duration = (min: number, max: number) => z.int().min(min).max(max);
export const LeaseMs = duration(100, MAX_LEASE_MS);

/** What calls and tasks have in common. */
const asked = {
  recipient: Recipient,
  type: identifier("a type"),
  /** Any JSON value. */
  payload: z.unknown(),
  sender: z.string().min(1).max(LIMITS.identifierLength).nullish(),
  priority: z.int().min(MOST_URGENT).max(LEAST_URGENT).default(5),
  /** Id of the signal that led to it: what follows from it names the same cause. */
  cause: identifier("an id").nullish(),
  /** W3C traceparent to be continued. */
  trace: z.string().regex(TRACEPARENT, { message: "give a W3C traceparent: 00-<32 hex>-<16 hex>-<2 hex>" }).nullish(),
  /** Length of the chain of causes above it, which is that of its cause and one more; default 1. */
  depth: z.int().min(1).max(1_000).nullish(),
};

/** A trace, or a depth, without a cause says nothing that anybody could follow. */
function causeOf({ cause, trace, depth }: Pick<CallInput, "cause" | "trace" | "depth">): TaskCause | null {
  if (typeof cause !== "string") return null;
  return { id: cause, ...(typeof trace === "string" ? { trace } : {}), depth: depth ?? 1 };
}

/** A task as a caller sends it. A field that is not known is refused: misspelt and dropped it would be a lost order. */
export const TaskInput = z.strictObject({
  ...asked,
  task_id: TaskId.optional(),
  /** Milliseconds, as all that follow: not given out before. */
  delay_ms: duration(0, WEEK_MS).default(0),
  max_attempts: z.int().min(1).max(100).optional(),
  /** Longest that one attempt may run, however often its lease is extended. */
  timeout_ms: duration(1, WEEK_MS).nullish(),
  /** Fails when nobody has taken it by then. */
  deadline_ms: duration(1, WEEK_MS).nullish(),
  /** When the sender made it; kept for the sender's sake, the queue goes by its own clock. */
  timestamp: z.unknown().optional(),
});

/** A call: a task whose sender waits for its end. */
export const CallInput = z.strictObject({
  ...asked,
  /** Names the call; sent again it is the same call. Default: given by the queue. */
  correlation_id: TaskId.optional(),
  timeout_ms: duration(1, 300_000).default(5_000),
  max_attempts: z.int().min(1).max(100).default(3),
  /** Refuse at once when nobody who could answer is connected. */
  require_responder: z.boolean().default(false),
});
export type CallInput = z.output<typeof CallInput>;

export type TaskAdmission =
  | { readonly ok: true; readonly task: NewTask }
  | { readonly ok: false; readonly errors: FieldError[] };

/** @param at - JSON pointer of `input` in the document that carried it */
export function admitTask(input: unknown, at = ""): TaskAdmission {
  const parsed = TaskInput.safeParse(input);
  if (!parsed.success) return { ok: false, errors: taskErrors(parsed.error.issues, at) };
  const { task_id, payload, delay_ms, max_attempts, timeout_ms, deadline_ms, recipient, type, priority, sender } =
    parsed.data;
  const payloadJson = jsonOf(payload);
  if (typeof payloadJson !== "string") return { ok: false, errors: [{ ...payloadJson, pointer: `${at}/payload` }] };
  return {
    ok: true,
    task: {
      ...{ recipient, type, priority, payloadJson, taskId: task_id, sender: sender ?? null, delayMs: delay_ms },
      ...{ maxAttempts: max_attempts, timeoutMs: timeout_ms ?? null, deadlineMs: deadline_ms ?? null, caller: null },
      cause: causeOf(parsed.data),
    },
  };
}

/** @param caller - who the reply goes to */
export function taskOfCall(call: CallInput, correlationId: string, payloadJson: string, caller: string): NewTask {
  const { recipient, type, priority, sender, timeout_ms, max_attempts } = call;
  return {
    ...{ recipient, type, priority, payloadJson, taskId: correlationId, sender: sender ?? null, delayMs: 0, caller },
    ...{ maxAttempts: max_attempts, timeoutMs: null, deadlineMs: timeout_ms, cause: causeOf(call) },
  };
}

/** JSON of a payload or result, or what is wrong with it. */
export function jsonOf(value: unknown): string | { message: string } {
  let json: string;
  try {
    json = JSON.stringify(value ?? null);
  } catch (error) {
    // A caller can send 30,000 opening brackets.
    if (error instanceof RangeError) return { message: "it is nested too deeply to be kept" };
    throw error;
  }
  return exceedsBytes(json, LIMITS.signalBytes) ? { message: `it may take ${LIMITS.signalBytes} bytes` } : json;
}

export function taskErrors(issues: Parameters<typeof fieldErrors>[0], at: string): FieldError[] {
  return fieldErrors(issues, at).map((error) =>
    error.message.startsWith("there is no such field")
      ? { ...error, message: "there is no such field here; take it out or put it into payload" }
      : error,
  );
}
