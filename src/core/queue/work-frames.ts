import * as z from "zod";
import { LIMITS } from "../signals/limits.ts";
import { LeasedTask, QueueEvent, TaskReceipt } from "./api.ts";
import {
  CallInput,
  DEFAULT_LEASE_MS,
  HostName,
  Labels,
  LeaseMs,
  MAX_TASKS,
  Recipient,
  Skills,
  TaskId,
} from "./task-input.ts";

/**
 * Frames of the worker's channel (JSON text, subprotocol `ganglion.work.v1`). The worker opens the channel, and the
 * queue's object holds the other end, so that a task reaches its worker by one message without a hop.
 *
 * A message is a frame or an array of frames, because a message costs more than the frames in it. The queue sends arrays
 * only to an end that has sent one: a client that does not know arrays never gets one.
 */
export const WORK_PROTOCOL = "ganglion.work.v1";

const Count = z.int().nonnegative();
/** Characters of the id of a lease. */
export const MAX_LEASE_ID = 64;
const LeaseId = z.string().min(1).max(MAX_LEASE_ID);
const held = { task_id: TaskId, lease_id: LeaseId };
const some = <Item extends z.ZodType>(item: Item) => z.array(item).min(1).max(MAX_TASKS);

/**
 * This end takes tasks for `recipient`, at most `credit` unfinished ones at a time. A task that ends makes room for the
 * next one without another `ready`. A later `ready` for the same recipient replaces this one; `credit: 0` takes no more.
 */
export const ReadyFrame = z.object({
  type: z.literal("ready"),
  recipient: Recipient,
  credit: z.int().min(0).max(MAX_TASKS),
  lease_ms: LeaseMs.default(DEFAULT_LEASE_MS),
  /** What the worker can do: it gets tasks that need these skills, too. */
  skills: Skills.optional(),
  /** The host that the worker runs on, of those that its token is bound to: it gets tasks that need what the host has. */
  host: HostName.optional(),
  labels: Labels.optional(),
});

export type ReadyFrame = z.infer<typeof ReadyFrame>;

export const CompleteFrame = z.object({
  type: z.literal("complete"),
  tasks: some(z.object({ ...held, result: z.unknown().optional(), evidence: z.unknown().optional() })),
});
export const FailFrame = z.object({
  type: z.literal("fail"),
  tasks: some(z.object({ ...held, error: z.string().max(4_096), retry: z.boolean().default(true) })),
});
export const ExtendFrame = z.object({
  type: z.literal("extend"),
  tasks: some(z.object({ ...held, lease_ms: LeaseMs })),
});
/** Returns tasks that were not begun: their attempt does not count. */
export const ReleaseFrame = z.object({ type: z.literal("release"), tasks: some(z.object(held)) });

/** As `POST …/tasks`: all tasks are queued or none. */
export const EnqueueFrame = z.object({
  type: z.literal("enqueue"),
  /** Chosen by this end, repeated in the answer. */
  batch: Count,
  tasks: z.array(z.unknown()).min(1).max(MAX_TASKS),
});

export const CallFrame = z.object({
  ...CallInput.shape,
  type: z.literal("call"),
  correlation_id: TaskId,
  /** Type of the task, since `type` is that of the frame. */
  task_type: CallInput.shape.type,
});
/** The caller does not wait any more: the call is cancelled, and its responder is notified. */
export const CancelCallFrame = z.object({ type: z.literal("cancel"), correlation_id: TaskId });

export const WorkerFrame = z.discriminatedUnion("type", [
  ReadyFrame,
  CompleteFrame,
  FailFrame,
  ExtendFrame,
  ReleaseFrame,
  EnqueueFrame,
  CallFrame,
  CancelCallFrame,
]);
export type WorkerFrame = z.infer<typeof WorkerFrame>;
/** A frame as a worker or caller sends it: fields with a default may be left out. */
export type OutgoingWorkerFrame = z.input<typeof WorkerFrame>;

const Problem = z
  .object({ type: z.string(), title: z.string(), status: z.int(), detail: z.string().optional() })
  .loose();

/** Tasks that this end has leased, in the order in which it should begin them. */
export const TasksFrame = z.object({ type: z.literal("tasks"), tasks: z.array(LeasedTask) });

export const EnqueuedFrame = z.object({
  type: z.literal("enqueued"),
  batch: z.int(),
  tasks: z.array(TaskReceipt),
});
/** The completions, failures, extensions and releases of these tasks are durable. */
export const DoneFrame = z.object({
  type: z.literal("done"),
  tasks: z.array(
    z.object({
      task_id: z.string(),
      lease_id: z.string(),
      status: z.string(),
      lease_expires_at: z.string().optional(),
    }),
  ),
});
/** These leases are no longer held: the frames about them had no effect. */
export const ConflictFrame = z.object({
  type: z.literal("conflict"),
  tasks: z.array(
    z.object({ task_id: z.string(), lease_id: z.string(), reason: z.enum(["lost", "finished", "unknown"]) }),
  ),
});
/**
 * Answer to a call: a result, or a problem (409 cancelled, 502 responder failed, 503 no responder or breaker open, 504 too
 * late). A fallback, while the breaker is open, has a source and a confidence.
 */
export const ReplyFrame = z.object({
  type: z.literal("reply"),
  correlation_id: z.string(),
  result: z.unknown().optional(),
  responder: z.string().nullable().optional(),
  duration_ms: z.number().optional(),
  source: z.string().optional(),
  confidence: z.number().optional(),
  problem: Problem.optional(),
});
export type ReplyFrame = z.infer<typeof ReplyFrame>;
/** These tasks were cancelled: stop them, and send no result. */
export const CancelFrame = z.object({
  type: z.literal("cancel"),
  tasks: z.array(z.object({ task_id: z.string(), lease_id: z.string(), reason: z.string() })),
});
/** The queue gives out no tasks: sent when it is paused, and to who is ready for tasks meanwhile. */
export const PausedFrame = z.object({ type: z.literal("paused"), since: z.string(), reason: z.string().optional() });
/** The queue gives out tasks again. */
export const ResumedFrame = z.object({ type: z.literal("resumed") });
/**
 * A frame that was refused as a whole; the other frames of its message were not. `frame` is its type, and `tasks` or
 * `recipient` say which one it was. They are missing where the message could not be read.
 */
export const RefusedWorkFrame = z.object({
  type: z.literal("refused"),
  batch: z.int().nullable(),
  frame: z.string().optional(),
  tasks: z.array(z.object({ task_id: z.string(), lease_id: z.string() })).optional(),
  recipient: z.string().optional(),
  problem: Problem,
  retry_after_ms: z.int().optional(),
});
export type RefusedWorkFrame = z.infer<typeof RefusedWorkFrame>;

export const QueueFrame = z.discriminatedUnion("type", [
  TasksFrame,
  EnqueuedFrame,
  DoneFrame,
  ConflictFrame,
  ReplyFrame,
  CancelFrame,
  PausedFrame,
  ResumedFrame,
  RefusedWorkFrame,
]);
export type QueueFrame = z.infer<typeof QueueFrame>;

/** Largest message that the queue accepts. */
export const MAX_FRAME_BYTES = LIMITS.batchBytes;
/** Largest message that the queue reads at all: of one that is too large, `ready` counts and the rest is refused by name. */
export const MAX_READABLE_BYTES = 4 * MAX_FRAME_BYTES;

/**
 * Events of a queue, from its object to the API, which streams them. The API answers with the number of the last event
 * that its reader has taken, as a bare number.
 */
export const EventsFrame = z.object({
  type: z.literal("events"),
  /** Names a life of the object in memory: event numbers start from 1 in each. */
  incarnation: z.string(),
  /** Number of the first of `events`. */
  first: z.number(),
  events: z.array(QueueEvent),
});
export type EventsFrame = z.infer<typeof EventsFrame>;
