import type { FieldError } from "../problem/field-error.ts";
import { PROJECTIONS, type ProjectionName } from "../projection/batch.ts";
import type { NewTask } from "../queue/task.ts";
import { admitTask, QUEUE_NAME } from "../queue/task-input.ts";
import { admitSignal } from "../signals/admit.ts";
import type { NewSignal } from "../signals/signal.ts";
import type { NewDelivery } from "../webhooks/delivery.ts";
import { ENDPOINT_ID } from "../webhooks/endpoint.ts";
import type { DeadLetter } from "./dead-letter.ts";

/** How a dead letter goes the normal way again, with the id that it has. */
export type ReplayPlan =
  /** The log refused it: it is appended, under the id of the letter. */
  | { readonly how: "append"; readonly signal: NewSignal }
  /** A projection failed on it, or a part of one (a rule, say). */
  | {
      readonly how: "reprocess";
      readonly projection: ProjectionName;
      readonly seq: number;
      readonly part: string | null;
    }
  /** Its queue begins it anew; `task` is for a queue that has forgotten it. */
  | { readonly how: "requeue"; readonly queue: string; readonly taskId: string; readonly task: NewTask }
  | { readonly how: "redeliver"; readonly delivery: NewDelivery & { readonly timestampMs: number } }
  /** It lies on a host, which is asked over the queue `hosts`. */
  | { readonly how: "ask_host"; readonly host: string; readonly type: "intent.replay" | "reaction.replay" }
  | { readonly how: "impossible"; readonly errors: readonly FieldError[] };

const QUEUE_DAEMON = "ganglion/queue/";

/**
 * @param mended - put in the place of a signal that the log refused
 */
export function planReplay(letter: DeadLetter, mended?: unknown): ReplayPlan {
  const place = projectionPlace(letter);
  if (mended !== undefined && (letter.kind !== "signal" || place !== undefined)) {
    const message = "only a signal that the log refused can be mended: this one is replayed as it is";
    return { how: "impossible", errors: [{ pointer: "/signal", message }] };
  }
  switch (letter.kind) {
    case "signal":
      return place ?? planAppend(letter, mended);
    case "task":
      return planRequeue(letter);
    case "webhook":
      return planRedeliver(letter);
    case "intent":
    case "reaction":
      return letter.host === undefined
        ? impossible("the letter does not say on which host it lies")
        : { how: "ask_host", host: letter.host, type: `${letter.kind}.replay` };
  }
}

/** Ids of projections' letters are `<projection>.<seq>` and `<projection>.<seq>.<part>`. */
function projectionPlace({ id, kind, daemon }: DeadLetter): Extract<ReplayPlan, { how: "reprocess" }> | undefined {
  const projection = PROJECTIONS.find((name) => daemon === `ganglion/${name}`);
  if (kind !== "signal" || projection === undefined || !id.startsWith(`${projection}.`)) return undefined;
  const [, seq, part = null] = /^(\d{1,15})(?:\.(.+))?$/.exec(id.slice(projection.length + 1)) ?? [];
  return seq === undefined ? undefined : { how: "reprocess", projection, seq: Number(seq), part };
}

function planAppend({ id, signal }: DeadLetter, mended: unknown): ReplayPlan {
  const admission = admitSignal(mended ?? signal, "/signal");
  if (!admission.ok) return { how: "impossible", errors: admission.errors };
  // The id of the letter is the one that the signal would have had: `<producer>.<number>`.
  return { how: "append", signal: { ...admission.signal, id } };
}

function planRequeue({ daemon, task }: DeadLetter): ReplayPlan {
  if (!isRecord(task)) return impossible("the letter does not hold a task");
  // A rule's task that a queue refused says in the task itself for which.
  const queue = daemon.startsWith(QUEUE_DAEMON) ? daemon.slice(QUEUE_DAEMON.length) : task.queue;
  if (typeof queue !== "string" || !QUEUE_NAME.test(queue)) return impossible("the letter does not say of which queue");
  const {
    recipient,
    type,
    payload,
    sender,
    priority,
    max_attempts,
    timeout_ms,
    deadline_at,
    created_at,
    cause,
    trace,
    depth,
  } = task;
  const task_id = task.taskId ?? task.task_id;
  const deadlineMs = Date.parse(String(deadline_at)) - Date.parse(String(created_at));
  const admission = admitTask({
    ...{ task_id, recipient, type, payload, priority, max_attempts, cause, trace, depth },
    ...(typeof sender === "string" ? { sender } : {}),
    ...(typeof timeout_ms === "number" ? { timeout_ms } : {}),
    ...(deadlineMs > 0 ? { deadline_ms: deadlineMs } : {}),
  });
  if (!admission.ok || typeof task_id !== "string")
    return {
      how: "impossible",
      errors: admission.ok ? [{ pointer: "/task/task_id", message: "missing" }] : admission.errors,
    };
  return { how: "requeue", queue, taskId: task_id, task: admission.task };
}

function planRedeliver({ webhook }: DeadLetter): ReplayPlan {
  if (!isRecord(webhook)) return impossible("the letter does not hold a delivery");
  const { id, endpoint, type, timestamp, data, cause, rule } = webhook;
  const timestampMs = Date.parse(String(timestamp));
  if (typeof id !== "string" || typeof endpoint !== "string" || !ENDPOINT_ID.test(endpoint))
    return impossible("the letter does not hold a delivery");
  return {
    how: "redeliver",
    delivery: {
      ...{ id, endpoint, body: JSON.stringify(data ?? null), timestampMs: Number.isNaN(timestampMs) ? 0 : timestampMs },
      ...(typeof type === "string" ? { type } : {}),
      ...(typeof cause === "string" ? { cause } : {}),
      ...(typeof rule === "string" ? { rule } : {}),
    },
  };
}

const impossible = (message: string): ReplayPlan => ({ how: "impossible", errors: [{ pointer: "", message }] });

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
