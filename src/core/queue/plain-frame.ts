import { hasPlainCommon, isObjectOf, isWhole } from "./plain-task.ts";
import { CALL_DEFAULTS, DEFAULT_PRIORITY, isTaskId, MAX_ATTEMPTS, MAX_CALL_MS, MAX_TASKS } from "./task-input.ts";
import { MAX_LEASE_ID, type WorkerFrame } from "./work-frames.ts";

type Frame<Type extends WorkerFrame["type"]> = Extract<WorkerFrame, { type: Type }>;

const ENQUEUE = new Set(["type", "batch", "tasks"]);
const COMPLETE = new Set(["type", "tasks"]);
const COMPLETED = new Set(["task_id", "lease_id", "result", "evidence"]);
const CALL = new Set([
  ...["type", "correlation_id", "task_type", "recipient", "payload", "sender", "priority", "cause", "trace", "depth"],
  ...["timeout_ms", "max_attempts", "require_responder"],
]);

/**
 * A frame that {@link WorkerFrame} would take, where its form is the usual one of the frames that a busy queue gets: tasks,
 * completions and calls. `undefined`: the schema decides.
 */
export function readPlainFrame(document: unknown): WorkerFrame | undefined {
  switch ((document as { readonly type?: unknown } | null)?.type) {
    case "enqueue":
      return isPlainEnqueue(document) ? document : undefined;
    case "complete":
      return isPlainComplete(document) ? document : undefined;
    case "call":
      return plainCall(document);
    default:
      return undefined;
  }
}

const isSome = (tasks: unknown): tasks is readonly unknown[] =>
  Array.isArray(tasks) && tasks.length > 0 && tasks.length <= MAX_TASKS;

const isPlainEnqueue = (document: unknown): document is Frame<"enqueue"> =>
  isObjectOf(document, ENQUEUE) && isWhole(document.batch, 0, Number.MAX_SAFE_INTEGER) && isSome(document.tasks);

const isPlainComplete = (document: unknown): document is Frame<"complete"> =>
  isObjectOf(document, COMPLETE) && isSome(document.tasks) && document.tasks.every(isPlainCompleted);

function isPlainCompleted(task: unknown): boolean {
  if (!isObjectOf(task, COMPLETED) || !isTaskId(task.task_id)) return false;
  const { lease_id: lease } = task;
  return typeof lease === "string" && lease.length > 0 && lease.length <= MAX_LEASE_ID;
}

function plainCall(document: unknown): Frame<"call"> | undefined {
  if (!isObjectOf(document, CALL)) return undefined;
  const { timeout_ms, max_attempts, require_responder } = document;
  const isPlain =
    hasPlainCommon(document, document.task_type) &&
    isTaskId(document.correlation_id) &&
    (timeout_ms === undefined || isWhole(timeout_ms, 1, MAX_CALL_MS)) &&
    (max_attempts === undefined || isWhole(max_attempts, 1, MAX_ATTEMPTS)) &&
    (require_responder === undefined || typeof require_responder === "boolean");
  if (!isPlain) return undefined;
  const call = document as Partial<Frame<"call">> &
    Pick<Frame<"call">, "recipient" | "task_type" | "correlation_id" | "payload">;
  return {
    type: "call",
    correlation_id: call.correlation_id,
    task_type: call.task_type,
    recipient: call.recipient,
    payload: call.payload,
    sender: call.sender,
    priority: call.priority ?? DEFAULT_PRIORITY,
    cause: call.cause,
    trace: call.trace,
    depth: call.depth,
    timeout_ms: call.timeout_ms ?? CALL_DEFAULTS.timeout_ms,
    max_attempts: call.max_attempts ?? CALL_DEFAULTS.max_attempts,
    require_responder: call.require_responder ?? CALL_DEFAULTS.require_responder,
  };
}
