import { isJsonObject } from "../json/is-json-object.ts";
import type { FieldError } from "../problem/field-error.ts";
import { PROJECTIONS, type ProjectionName } from "../projection/batch.ts";
import type { NewTask } from "../queue/task.ts";
import { admitTask, QUEUE_NAME } from "../queue/task-input.ts";
import { admitSignal } from "../signals/admit.ts";
import { reservedFields } from "../signals/reserved.ts";
import type { NewSignal } from "../signals/signal.ts";
import type { Redelivery } from "../webhooks/delivery.ts";
import { ENDPOINT_ID } from "../webhooks/endpoint.ts";
import type { DeadLetter } from "./dead-letter.ts";
import { givenId } from "./owner.ts";

/** How a dead letter is processed again, under its own id. */
export type ReplayPlan =
  /** A signal that the log refused is appended under the id of the dead letter. */
  | { readonly how: "append"; readonly signal: NewSignal }
  /** A signal on which a projection, or a part of one such as a rule, failed is processed by it again. */
  | {
      readonly how: "reprocess";
      readonly projection: ProjectionName;
      readonly seq: number;
      readonly part: string | null;
    }
  /** A task starts again in its queue. `task` is for a queue that has forgotten it. */
  | { readonly how: "requeue"; readonly queue: string; readonly taskId: string; readonly task: NewTask }
  | { readonly how: "redeliver"; readonly delivery: Redelivery }
  /** A failed item that a host keeps is replayed by the host, which is asked over the queue `hosts`. */
  | { readonly how: "ask_host"; readonly host: string; readonly type: "intent.replay" | "reaction.replay" }
  | { readonly how: "impossible"; readonly errors: readonly FieldError[] };

const QUEUE_DAEMON = "ganglion/queue/";

/**
 * Decides how a dead letter is processed again.
 *
 * @param replacement - replaces a signal that the log refused
 */
export function planReplay(stored: DeadLetter, replacement?: unknown): ReplayPlan {
  const deadLetter = { ...stored, id: givenId(stored) };
  const place = projectionPlace(deadLetter);
  if (replacement !== undefined && (deadLetter.kind !== "signal" || place !== undefined)) {
    const message = "only a signal that the log refused can be replaced; replay this dead letter without a signal";
    return { how: "impossible", errors: [{ pointer: "/signal", message }] };
  }
  switch (deadLetter.kind) {
    case "signal":
      return place ?? planAppend(deadLetter, replacement);
    case "task":
      return planRequeue(deadLetter);
    case "webhook":
      return planRedeliver(deadLetter);
    case "intent":
    case "reaction":
      return deadLetter.host === undefined
        ? impossible("the dead letter does not name the host that keeps it")
        : { how: "ask_host", host: deadLetter.host, type: `${deadLetter.kind}.replay` };
  }
}

/** Dead letters of projections have the ids `<projection>.<seq>` and `<projection>.<seq>.<part>`. */
function projectionPlace({ id, kind, daemon }: DeadLetter): Extract<ReplayPlan, { how: "reprocess" }> | undefined {
  const projection = PROJECTIONS.find((name) => daemon === `ganglion/${name}`);
  if (kind !== "signal" || projection === undefined || !id.startsWith(`${projection}.`)) return undefined;
  const [, seq, part = null] = /^(\d{1,15})(?:\.(.+))?$/.exec(id.slice(projection.length + 1)) ?? [];
  return seq === undefined ? undefined : { how: "reprocess", projection, seq: Number(seq), part };
}

function planAppend({ id, signal }: DeadLetter, replacement: unknown): ReplayPlan {
  const admission = admitSignal(replacement ?? signal, "/signal");
  if (!admission.ok) return { how: "impossible", errors: admission.errors };
  // Whoever made the dead letter fail does not get the edge to say it in its own name.
  const reserved = reservedFields({ ...admission.signal, id: undefined }, true, "/signal");
  if (reserved.length > 0) return { how: "impossible", errors: reserved };
  // The id of the dead letter is the one that the signal would have had: `<producer>.<number>`.
  return { how: "append", signal: { ...admission.signal, id } };
}

function planRequeue({ daemon, task }: DeadLetter): ReplayPlan {
  if (!isJsonObject(task)) return impossible("the dead letter holds no task");
  // A task of a rule that a queue refused names the queue in the task itself.
  const queue = daemon.startsWith(QUEUE_DAEMON) ? daemon.slice(QUEUE_DAEMON.length) : task.queue;
  if (typeof queue !== "string" || !QUEUE_NAME.test(queue))
    return impossible("the dead letter does not name the queue of the task");
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
    task_id,
    recipient,
    type,
    payload,
    priority,
    max_attempts,
    cause,
    trace,
    depth,
    ...(typeof sender === "string" ? { sender } : {}),
    ...(typeof timeout_ms === "number" ? { timeout_ms } : {}),
    ...(deadlineMs > 0 ? { deadline_ms: deadlineMs } : {}),
  });
  if (!admission.ok || typeof task_id !== "string")
    return {
      how: "impossible",
      errors: admission.ok ? [{ pointer: "/task/task_id", message: "task_id is required" }] : admission.errors,
    };
  return { how: "requeue", queue, taskId: task_id, task: admission.task };
}

function planRedeliver({ webhook }: DeadLetter): ReplayPlan {
  if (!isJsonObject(webhook)) return impossible("the dead letter holds no webhook delivery");
  const { id, endpoint, type, timestamp, data, cause, rule } = webhook;
  const timestampMs = Date.parse(String(timestamp));
  if (typeof id !== "string" || typeof endpoint !== "string" || !ENDPOINT_ID.test(endpoint))
    return impossible("the dead letter holds no webhook delivery");
  return {
    how: "redeliver",
    delivery: {
      id,
      endpoint,
      body: JSON.stringify(data ?? null),
      timestampMs: Number.isNaN(timestampMs) ? 0 : timestampMs,
      ...(typeof type === "string" ? { type } : {}),
      ...(typeof cause === "string" ? { cause } : {}),
      ...(typeof rule === "string" ? { rule } : {}),
    },
  };
}

const impossible = (message: string): ReplayPlan => ({ how: "impossible", errors: [{ pointer: "", message }] });
