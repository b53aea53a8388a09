import type { FinishedTask, TaskEvent } from "../queue/task.ts";
import { ATTRIBUTE, GANGLION, OPERATION, SPAN_NAME } from "./attributes.ts";
import { MAX_ERROR_CHARS } from "./payload.ts";
import { KIND, type Span, type SpanContext } from "./span.ts";
import { namedSpan, placeOf, spanIdOf } from "./span-ids.ts";

/** A finished task as its queue hands it over. */
export interface ExportedTask {
  readonly queue: string;
  readonly task: FinishedTask;
  /** What of payload and result may leave. */
  readonly input?: string | undefined;
  readonly output?: string | undefined;
}

/**
 * Names a finished task in traceparents: of its span, and of the signal that tells its end.
 *
 * @param name - of the queue's object
 */
export const taskKey = (name: string, { taskId, seq, createdMs }: Pick<FinishedTask, "taskId" | "seq" | "createdMs">) =>
  `${name}:${taskId}:${seq}:${createdMs}`;

/** A stretch of a task's life: waiting, or with a worker. */
interface Stretch {
  readonly waits: boolean;
  readonly attempt: number;
  readonly worker: string | undefined;
  readonly startMs: number;
  readonly endMs: number;
  /** How it ended, where that is a failure. */
  readonly error: { readonly type: string; readonly message: string | undefined } | undefined;
}

/** The spans of a task: itself, each wait in the queue, and each attempt. */
export function taskSpans({ queue, task, input, output }: ExportedTask, context: SpanContext): Span[] {
  const key = taskKey(`${context.ecosystem}/${queue}`, task);
  const place = placeOf(task.cause === null ? task.trace : task.cause.trace, task.cause?.id ?? key);
  const spanId = namedSpan(key);
  const shared = {
    [ATTRIBUTE.taskId]: task.taskId,
    [ATTRIBUTE.taskType]: task.type,
    [ATTRIBUTE.queue]: queue,
  };
  const failed = task.outcome !== "complete";
  const tags = [`agent:${task.recipient}`, `type:${task.type}`, `queue:${queue}`];
  const whole: Span = {
    traceId: place.traceId,
    spanId,
    parentSpanId: place.spanId,
    name: SPAN_NAME.task(task.type),
    kind: KIND.internal,
    startMs: task.createdMs,
    endMs: task.finishedMs,
    attributes: {
      ...shared,
      [ATTRIBUTE.agent]: task.recipient,
      [ATTRIBUTE.taskOutcome]: task.outcome,
      [ATTRIBUTE.taskPriority]: task.priority,
      [ATTRIBUTE.taskSender]: task.sender ?? undefined,
      [ATTRIBUTE.taskAttempts]: task.attempt,
      [ATTRIBUTE.taskWaitedMs]: task.waitedMs,
      [ATTRIBUTE.taskRanMs]: task.ranMs,
      [ATTRIBUTE.worker]: task.worker ?? undefined,
      [ATTRIBUTE.signalId]: task.cause?.id,
      [ATTRIBUTE.errorType]: failed ? task.outcome : undefined,
    },
    failed: failed ? { message: errorText(task.error, context) } : undefined,
    observation: {
      type: "span",
      name: `task_${task.taskId}`,
      traceName: `task_${task.taskId}`,
      tags,
      input,
      output,
    },
  };
  const parts = stretchesOf(task).map((stretch, number): Span => {
    const { waits, attempt, worker, startMs, endMs, error } = stretch;
    return {
      traceId: place.traceId,
      // A lease that was given back unused does not count as an attempt, so one attempt may have several waits.
      spanId: spanIdOf(context, waits ? "receive" : "attempt", key, number),
      parentSpanId: spanId,
      name: waits ? SPAN_NAME.receive(queue) : SPAN_NAME.agent(task.recipient),
      kind: KIND.consumer,
      startMs,
      endMs,
      attributes: {
        ...shared,
        ...(waits
          ? {
              [ATTRIBUTE.messagingSystem]: GANGLION,
              [ATTRIBUTE.messagingQueue]: queue,
              [ATTRIBUTE.messagingOperation]: "receive",
              [ATTRIBUTE.messagingOperationType]: "receive",
              [ATTRIBUTE.messageId]: task.taskId,
            }
          : { [ATTRIBUTE.operation]: OPERATION.agent, [ATTRIBUTE.agent]: task.recipient, [ATTRIBUTE.worker]: worker }),
        [ATTRIBUTE.taskAttempt]: attempt,
        [ATTRIBUTE.errorType]: error?.type,
      },
      failed: error === undefined ? undefined : { message: errorText(error.message, context) },
      observation: { type: waits ? "span" : "agent", tags },
    };
  });
  return [whole, ...parts];
}

/** An error may quote what a task is about. */
const errorText = (text: string | null | undefined, { payload }: SpanContext) =>
  payload === "all" && text !== null ? text?.slice(0, MAX_ERROR_CHARS) : undefined;

/**
 * The waits and attempts of a task, by its history. A history that was too long has a hole in its midst: what began before
 * the hole and what ended after it are left out.
 */
function stretchesOf(task: FinishedTask): Stretch[] {
  const stretches: Stretch[] = [];
  let readyMs: number | undefined = task.createdMs;
  let leased: TaskEvent | undefined;
  let last = 0;
  for (const event of task.history) {
    if (event.event === "queued") continue;
    if (event.event === "leased") {
      const attempt = event.attempt ?? last + 1;
      // Numbers of attempts go on by one at most: more have been left out of the history.
      if (attempt > last + 1) readyMs = undefined;
      if (readyMs !== undefined) stretches.push(wait(attempt, readyMs, event.atMs));
      readyMs = undefined;
      leased = { ...event, attempt };
      last = attempt;
      continue;
    }
    if (leased === undefined) {
      // It ended without a worker: it expired, or was dropped or cancelled while it waited.
      if (readyMs !== undefined) stretches.push(wait(last + 1, readyMs, event.atMs, errorOf(event)));
    } else if (event.event === "returned") last = (leased.attempt ?? 1) - 1;
    else if (event.attempt === undefined || event.attempt === leased.attempt) stretches.push(attemptOf(leased, event));
    leased = undefined;
    readyMs = event.atMs;
  }
  return stretches;
}

function wait(attempt: number, startMs: number, endMs: number, error?: Stretch["error"]): Stretch {
  return { waits: true, attempt, worker: undefined, startMs, endMs: Math.max(startMs, endMs), error };
}

function attemptOf({ attempt = 1, worker, atMs }: TaskEvent, end: TaskEvent): Stretch {
  return { waits: false, attempt, worker, startMs: atMs, endMs: Math.max(atMs, end.atMs), error: errorOf(end) };
}

function errorOf({ event, error }: TaskEvent): Stretch["error"] {
  if (event === "complete") return undefined;
  // The event of a failure after which the task was tried again.
  return { type: event === "retry" ? "failed" : event, message: error };
}
