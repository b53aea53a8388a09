import * as z from "zod";
import { ObjectSize } from "../billing/heap-budget.ts";
import { HandedNotes } from "../notes/handed.ts";
import { Timestamp } from "../signals/timestamp-schema.ts";
import { Accept, Verdict, Verifying } from "./accept.ts";
import { AwaitedAnswer, TaskWait } from "./awaited-answer.ts";
import { type BreakerRefusal, BreakerStatus } from "./breaker-status.ts";
import { BulkProgress } from "./bulk.ts";
import { ClosedLimit } from "./limit-gate.ts";
import { QueuePause } from "./pause.ts";
import { MedianFields, MsOrNull, PercentileFields } from "./percentile-fields.ts";
import { QueueSettings } from "./queue-settings.ts";
import { QueueTrouble } from "./queue-trouble.ts";
import { Outcome, TaskStatus } from "./task.ts";
import { CauseFields, NeedFields, ParkedFields } from "./task-fields.ts";

/**
 * Answers about tasks and queues. The schemas are what HTTP and the worker's channel send; the types without a schema
 * are the calls between the API and a queue's object, which nobody else makes.
 */
const AnyJson = z.unknown().meta({ description: "Any JSON value" });
const Count = z.int().nonnegative();

export const TaskReceipt = z.object({
  task_id: z.string().meta({ description: "Id of the task" }),
  status: TaskStatus,
  known: z.literal(true).optional().meta({
    description: "The queue knew a task of this id, so this one was not queued; the status is that of the known task",
  }),
});
export type TaskReceipt = z.infer<typeof TaskReceipt>;

const Answers = z
  .array(AwaitedAnswer)
  .readonly()
  .optional()
  .meta({ description: "Answers to questions that the task waited for; absent: none" });

/** In the order of the request. */
export const TaskReceipts = z.object({
  tasks: z
    .array(TaskReceipt)
    .readonly()
    .meta({ description: "In the order of the request. A task that the queue knew has its present status." }),
});

const BulkItem = z.object({
  index: z.int().nonnegative().meta({ description: "Place of the task in the request, from 0" }),
  task_id: z.string().optional().meta({ description: "Id of the task, where it has one" }),
  status: z.enum(["queued", "known", "refused"]).meta({ description: "known: the queue knew a task of this id" }),
  error: z.string().optional().meta({ description: "Why the task was refused: what is wrong, and where" }),
  retry: z.literal(true).optional().meta({ description: "The task may be sent again as it is, later" }),
});
export type BulkItem = z.infer<typeof BulkItem>;

/** Answer to many tasks, each of which was taken or refused by itself. */
export const BulkReceipts = z.object({
  queued: z.int().nonnegative(),
  known: z.int().nonnegative().meta({ description: "Tasks whose ids the queue knew: they were not queued again" }),
  refused: z.int().nonnegative().meta({ description: "Tasks that were not queued; their results say why" }),
  results: z.array(BulkItem).readonly().meta({ description: "In the order of the request" }),
});
export type BulkReceipts = Readonly<z.infer<typeof BulkReceipts>>;

/** A task as the worker that leased it gets it. */
export const LeasedTask = z.object({
  task_id: z.string(),
  lease_id: z.string(),
  recipient: z.string(),
  type: z.string(),
  priority: z.int(),
  attempt: z.int().meta({ description: "From 1" }),
  sender: z.string().nullable(),
  lease_expires_at: Timestamp,
  payload: AnyJson,
  correlation_id: z.string().optional().meta({ description: "Only of a call: its caller waits for the result" }),
  ...NeedFields,
  answers: Answers,
  accept: Accept.optional().meta({ description: "How the task proves that it is done; absent: it need not" }),
  verdict: Verdict.optional().meta({ description: "Why its last completion was refused; absent: none was" }),
  ...CauseFields,
  ...HandedNotes,
});
export type LeasedTask = z.infer<typeof LeasedTask>;

export const LeasedTasks = z.object({
  tasks: z.array(LeasedTask),
  paused: QueuePause.optional().meta({ description: "The queue is paused and gives out no tasks; absent: it is not" }),
});

/** Answer to a completion, failure, extension, release, cancellation or retry. */
export const TaskState = z.object({
  task_id: z.string().meta({ description: "Id of the task" }),
  status: TaskStatus,
  lease_expires_at: Timestamp.optional(),
  was: Outcome.optional().meta({ description: "After a retry: how the task had ended before" }),
});
export type TaskState = z.infer<typeof TaskState>;

const EventFields = {
  attempt: z.int().optional(),
  worker: z.string().optional(),
  error: z.string().optional(),
};

/** A task with its history. */
export const TaskView = z.object({
  task_id: z.string(),
  recipient: z.string(),
  type: z.string(),
  sender: z.string().nullable(),
  priority: z.int(),
  created_at: Timestamp,
  max_attempts: z.int(),
  timeout_ms: MsOrNull,
  deadline_at: Timestamp.nullable(),
  ...NeedFields,
  ...ParkedFields,
  ...CauseFields,
  status: TaskStatus,
  outcome: Outcome.optional(),
  attempt: z.int(),
  ready_at: Timestamp.optional(),
  waits_for: TaskWait.optional().meta({ description: "What the task waits for, without a worker; absent: nothing" }),
  answers: Answers,
  accept: Accept.optional().meta({ description: "How the task proves that it is done; absent: it need not" }),
  verifying: Verifying.optional().meta({ description: "It waits to be judged; absent: it does not" }),
  verdict: Verdict.optional().meta({ description: "How its last completion was judged; absent: none was" }),
  worker: z.string().optional(),
  lease_id: z.string().optional(),
  lease_expires_at: Timestamp.optional(),
  unplaced: z
    .string()
    .optional()
    .meta({ description: "Why no worker is given the task, where it needs something of a host" }),
  error: z.string().optional(),
  finished_at: Timestamp.optional(),
  waited_ms: z.number(),
  ran_ms: z.number(),
  history: z.array(z.object({ at: Timestamp, event: z.string(), ...EventFields })),
  payload: AnyJson,
  result: AnyJson.optional(),
});
export type TaskView = z.infer<typeof TaskView>;

export const TaskPage = z.object({
  tasks: z.array(TaskView),
  next: z.int().nullable().meta({ description: "Send it as `after` to get the next page; null: no more tasks" }),
});

/** An event of a queue. */
export const QueueEvent = z.object({
  at: Timestamp,
  task_id: z.string(),
  recipient: z.string(),
  type: z.string(),
  event: z.string(),
  ...EventFields,
  priority: z.int().optional(),
  duration_ms: z.number().optional().meta({ description: "At its end, how long workers held the task" }),
});
export type QueueEvent = z.infer<typeof QueueEvent>;

export const QueueEvents = z.object({ events: z.array(QueueEvent) });

const RecipientStatus = z.object({
  queued: Count,
  running: Count,
  verifying: Count.optional().meta({ description: "Tasks that wait to be judged; absent: none" }),
  complete: Count,
  failed: Count,
  ...PercentileFields,
});
export type RecipientStatus = z.infer<typeof RecipientStatus>;

export const QueueStatus = z.object({
  queue: z.string(),
  depth: Count.meta({ description: "Queued tasks, delayed ones included" }),
  running: Count,
  verifying: Count.optional().meta({ description: "Tasks that wait to be judged; absent: none" }),
  by_priority: z.record(z.string(), Count),
  by_level: z.object({ high: Count, normal: Count, low: Count }).optional(),
  by_recipient: z.record(z.string(), RecipientStatus),
  oldest_age_ms: MsOrNull.meta({ description: "Age of the oldest task that is ready to be leased" }),
  ...MedianFields,
  workers: z.record(z.string(), Count).meta({ description: "Connected workers and waiting requests, by recipient" }),
  alerts: z.array(z.object({ rule: z.string(), subject: z.string(), raised_at: Timestamp })).readonly(),
  paused: QueuePause.nullable().meta({ description: "The pause of the queue; null: it gives out tasks" }),
  parked: Count.optional().meta({
    description: "Tasks that nobody is given because their limits are closed or a budget is spent; absent: none",
  }),
  closed_limits: z.array(ClosedLimit).readonly().optional().meta({
    description: "Limits whose tasks are parked; absent: none is closed, as far as the queue was told",
  }),
  bulk: BulkProgress.nullable().meta({ description: "What is being done to all tasks of a filter; null: nothing" }),
  ...QueueTrouble,
  breakers: z.array(BreakerStatus).readonly().meta({ description: "Breakers that are not closed" }),
  settings: QueueSettings,
  ...ObjectSize.shape,
});
export type QueueStatus = z.infer<typeof QueueStatus>;

/** A finished task that is remembered because it was slow. */
export const SlowTask = z.object({
  task_id: z.string(),
  recipient: z.string(),
  type: z.string(),
  status: z.enum(["complete", "failed"]),
  ran_ms: z.number(),
  waited_ms: z.number(),
  attempts: z.int(),
  finished_at: Timestamp,
});
export type SlowTask = z.infer<typeof SlowTask>;

const Bottleneck = z.object({
  recipient: z.string(),
  type: z.string(),
  tasks: Count,
  share: z.number().meta({ description: "Share of all time that workers were busy this hour, 0 to 1" }),
  ...PercentileFields,
});
export type Bottleneck = z.infer<typeof Bottleneck>;

export const Bottlenecks = z.object({
  summary: z.string().nullable().meta({ description: "The main bottleneck, in a sentence; null: no task has run" }),
  slowest: z.array(SlowTask).readonly(),
  series: z.array(Bottleneck).readonly(),
});
export type Bottlenecks = z.infer<typeof Bottlenecks>;

export const CallReply = z.object({
  correlation_id: z.string(),
  result: AnyJson,
  responder: z.string().nullable(),
  duration_ms: z.number(),
  source: z
    .string()
    .optional()
    .meta({ description: "Only of a fallback, while the breaker is open: where it comes from" }),
  confidence: z.number().optional().meta({ description: "Only of a fallback: how much it is worth, below 1" }),
});
export type CallReply = z.infer<typeof CallReply>;

/** A call that has no reply yet. */
export const PendingCall = z.object({ correlation_id: z.string(), status: z.enum(["queued", "running"]) });
export type PendingCall = z.infer<typeof PendingCall>;

/** The queue could not write, or too much waits to be written. Nothing of the request was kept. */
export interface QueueOverloaded {
  readonly overloaded: true;
  readonly retry_after_ms: number;
}

export type EnqueueAnswer =
  | { readonly tasks: readonly TaskReceipt[] }
  | { readonly full: true; readonly capacity: number }
  | QueueOverloaded;

/** Whether a queue was deleted, or how many unfinished tasks kept it. */
export type QueueRemoval = { readonly removed: true } | { readonly unfinished: number } | QueueOverloaded;

/** How a call ended, where the call stands, or why the queue refused it. */
export type CallAnswer =
  | {
      readonly correlation_id: string;
      readonly outcome: Outcome;
      readonly resultJson: string | null;
      readonly error: string | null;
      readonly responder: string | null;
      readonly duration_ms: number;
    }
  | { readonly correlation_id: string; readonly pending: "queued" | "running" }
  | { readonly refused: "no_responder" | "full" | "not_a_call" }
  | BreakerRefusal
  | QueueOverloaded;
