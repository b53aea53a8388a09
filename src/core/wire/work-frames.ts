import * as z from "zod";
import type { QueueEvent } from "../queue/api.ts";
import { CallInput, DEFAULT_LEASE_MS, LeaseMs, MAX_TASKS, Recipient, TaskId } from "../queue/task-input.ts";
import { LIMITS } from "../signals/limits.ts";

/**
 * Frames of the worker's channel (JSON text, subprotocol `ganglion.work.v1`). The worker opens it; the queue itself
 * holds the other end, so that handing a task out is one message without a hop.
 *
 * A message is a frame or an array of frames: each message costs more than the frames in it. The queue sends arrays only
 * where it has got one, so an end that knows nothing of them never sees one.
 */
export const WORK_PROTOCOL = "ganglion.work.v1";

const Count = z.int().nonnegative();
const LeaseId = z.string().min(1).max(64);
const held = { task_id: TaskId, lease_id: LeaseId };
const some = <Item extends z.ZodType>(item: Item) => z.array(item).min(1).max(MAX_TASKS);

/**
 * This end takes tasks for `recipient`, at most `credit` unfinished ones at a time; what is finished makes room for
 * more without being asked for. Said again it replaces what was said before; `credit: 0` takes no more.
 */
export const ReadyFrame = z.object({
  type: z.literal("ready"),
  recipient: Recipient,
  credit: z.int().min(0).max(MAX_TASKS),
  lease_ms: LeaseMs.default(DEFAULT_LEASE_MS),
});

export const CompleteFrame = z.object({
  type: z.literal("complete"),
  tasks: some(z.object({ ...held, result: z.unknown().optional() })),
});
export const FailFrame = z.object({
  type: z.literal("fail"),
  tasks: some(z.object({ ...held, error: z.string().max(4_096), retry: z.boolean().default(true) })),
});
export const ExtendFrame = z.object({
  type: z.literal("extend"),
  tasks: some(z.object({ ...held, lease_ms: LeaseMs })),
});
/** Gives tasks back that were not begun: their attempt does not count. */
export const ReleaseFrame = z.object({ type: z.literal("release"), tasks: some(z.object(held)) });

/** As `POST …/tasks`: all or none. */
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
  /** What is asked: the task's type, since `type` names the frame. */
  task_type: CallInput.shape.type,
});
/** Nobody waits for the call any more: whoever answers it is told. */
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

const Problem = z
  .object({ type: z.string(), title: z.string(), status: z.int(), detail: z.string().optional() })
  .loose();

/** Tasks for this end, in the order in which they are to be begun. */
export const LeasedTask = z.object({
  task_id: z.string(),
  lease_id: z.string(),
  recipient: z.string(),
  type: z.string(),
  priority: z.int(),
  attempt: z.int(),
  sender: z.string().nullable(),
  lease_expires_at: z.string(),
  payload: z.unknown(),
  /** Only of a call: somebody waits for the result. */
  correlation_id: z.string().optional(),
  /** Of a task that a signal led to: what its worker says about it names this cause, this trace and this depth. */
  cause: z.string().optional(),
  trace: z.string().optional(),
  depth: z.int().optional(),
});
export type LeasedTask = z.infer<typeof LeasedTask>;
export const TasksFrame = z.object({ type: z.literal("tasks"), tasks: z.array(LeasedTask) });

export const EnqueuedFrame = z.object({
  type: z.literal("enqueued"),
  batch: z.int(),
  tasks: z.array(z.object({ task_id: z.string(), status: z.string() })),
});
/** What was said about these tasks is durable. */
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
/** These leases are no longer held: what was said about them changes nothing. */
export const ConflictFrame = z.object({
  type: z.literal("conflict"),
  tasks: z.array(
    z.object({ task_id: z.string(), lease_id: z.string(), reason: z.enum(["lost", "finished", "unknown"]) }),
  ),
});
/** Answer to a call: a result, or a problem (502 it failed, 503 nobody is there, 504 too late, 499 cancelled). */
export const ReplyFrame = z.object({
  type: z.literal("reply"),
  correlation_id: z.string(),
  result: z.unknown().optional(),
  responder: z.string().nullable().optional(),
  duration_ms: z.number().optional(),
  problem: Problem.optional(),
});
export type ReplyFrame = z.infer<typeof ReplyFrame>;
/** These tasks are no longer wanted: stop, and say nothing about them. */
export const CancelFrame = z.object({
  type: z.literal("cancel"),
  tasks: z.array(z.object({ task_id: z.string(), lease_id: z.string(), reason: z.string() })),
});
/** A frame that was not taken, whole. */
export const RefusedWorkFrame = z.object({
  type: z.literal("refused"),
  batch: z.int().nullable(),
  problem: Problem,
  retry_after_ms: z.int().optional(),
});

export const QueueFrame = z.discriminatedUnion("type", [
  TasksFrame,
  EnqueuedFrame,
  DoneFrame,
  ConflictFrame,
  ReplyFrame,
  CancelFrame,
  RefusedWorkFrame,
]);
export type QueueFrame = z.infer<typeof QueueFrame>;

/** Longest frame that either end sends. */
export const MAX_FRAME_BYTES = LIMITS.batchBytes;

/** What the queue tells of its events to the API, which passes them on; `seen` is answered by a bare number. */
export interface EventsFrame {
  readonly type: "events";
  /** Of the object; numbers count from 1 in each. */
  readonly life: string;
  /** Number of the first of `events`. */
  readonly first: number;
  readonly events: readonly QueueEvent[];
}
