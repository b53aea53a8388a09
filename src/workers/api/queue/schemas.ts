import { z } from "@hono/zod-openapi";
import type * as api from "../../../core/queue/api.ts";
import { QueueSettings, type QueueSettings as Settings } from "../../../core/queue/queue-settings.ts";
import { describes, time } from "../http/schema-parts.ts";

/** What the calls about queues answer, as OpenAPI shows it; held to the types of src/core at the end. */
const json = z.unknown().openapi({ description: "Any JSON value" });
const status = z.enum(["queued", "running", "complete", "failed"]);
const causeFields = {
  cause: z.string().optional().openapi({ description: "Id of the signal that led to it" }),
  trace: z.string().optional().openapi({ description: "W3C traceparent" }),
  depth: z.int().optional().openapi({ description: "Length of the chain of causes above it" }),
};
const ms = z.number().nullable();
const count = z.int().nonnegative();

export const ReceiptsSchema = z
  .object({
    tasks: z
      .array(z.object({ task_id: z.string(), status }))
      .readonly()
      .openapi({ description: "In the order of the request; a task that was known has the status it has" }),
  })
  .openapi("TaskReceipts");

export const LeasedTasksSchema = z
  .object({
    tasks: z.array(
      z.object({
        task_id: z.string(),
        lease_id: z.string(),
        recipient: z.string(),
        type: z.string(),
        priority: z.int(),
        attempt: z.int().openapi({ description: "From 1" }),
        sender: z.string().nullable(),
        lease_expires_at: time,
        correlation_id: z.string().optional().openapi({ description: "Somebody waits for the result" }),
        ...causeFields,
        payload: json,
      }),
    ),
  })
  .openapi("LeasedTasks");

export const SettledSchema = z
  .object({ task_id: z.string(), status, lease_expires_at: time.optional() })
  .openapi("SettledTask");

const EventFields = {
  attempt: z.int().optional(),
  worker: z.string().optional(),
  error: z.string().optional(),
};
export const TaskSchema = z
  .object({
    task_id: z.string(),
    recipient: z.string(),
    type: z.string(),
    sender: z.string().nullable(),
    priority: z.int(),
    created_at: time,
    max_attempts: z.int(),
    timeout_ms: ms,
    deadline_at: time.nullable(),
    ...causeFields,
    status,
    outcome: z.enum(["complete", "failed", "cancelled", "expired", "dropped"]).optional(),
    attempt: z.int(),
    ready_at: time.optional(),
    worker: z.string().optional(),
    lease_id: z.string().optional(),
    lease_expires_at: time.optional(),
    error: z.string().optional(),
    finished_at: time.optional(),
    waited_ms: z.number(),
    ran_ms: z.number(),
    history: z.array(z.object({ at: time, event: z.string(), ...EventFields })),
    payload: json,
    result: json.optional(),
  })
  .openapi("Task");
export const TaskPageSchema = z
  .object({ tasks: z.array(TaskSchema), next: z.int().nullable().openapi({ description: "Give it as `after`" }) })
  .openapi("TaskPage");

export const QueuesSchema = z
  .object({ queues: z.array(z.object({ name: z.string(), created_at: time })) })
  .openapi("Queues");

const percentiles = { p50_ms: ms, p95_ms: ms, p99_ms: ms, waiting_p50_ms: ms, waiting_p95_ms: ms, waiting_p99_ms: ms };
const settingsFields = Object.fromEntries(Object.keys(QueueSettings.shape).map((name) => [name, z.unknown()]));
export const SettingsSchema = z
  .object(settingsFields as unknown as { [Name in keyof Settings]: z.ZodType<Settings[Name]> })
  .openapi("QueueSettings", { type: "object" });

export const QueueStatusSchema = z
  .object({
    queue: z.string(),
    depth: count,
    running: count,
    by_priority: z.record(z.string(), count),
    by_recipient: z.record(
      z.string(),
      z.object({ queued: count, running: count, complete: count, failed: count, ...percentiles }),
    ),
    oldest_age_ms: ms,
    workers: z.record(z.string(), count),
    alerts: z.array(z.object({ rule: z.string(), subject: z.string(), raised_at: time })).readonly(),
    settings: SettingsSchema,
  })
  .openapi("QueueStatus");

export const BottlenecksSchema = z
  .object({
    summary: z.string().nullable().openapi({ description: "What holds things up, in words" }),
    slowest: z
      .array(
        z.object({
          task_id: z.string(),
          recipient: z.string(),
          type: z.string(),
          status: z.enum(["complete", "failed"]),
          ran_ms: z.number(),
          waited_ms: z.number(),
          attempts: z.int(),
          finished_at: time,
        }),
      )
      .readonly(),
    series: z
      .array(z.object({ recipient: z.string(), type: z.string(), tasks: count, share: z.number(), ...percentiles }))
      .readonly(),
  })
  .openapi("Bottlenecks");

export const QueueEventsSchema = z
  .object({
    events: z.array(
      z.object({
        at: time,
        task_id: z.string(),
        recipient: z.string(),
        type: z.string(),
        event: z.string(),
        ...EventFields,
      }),
    ),
  })
  .openapi("QueueEvents");

export const ReplySchema = z
  .object({ correlation_id: z.string(), result: json, responder: z.string().nullable(), duration_ms: z.number() })
  .openapi("CallReply");
export const PendingCallSchema = z
  .object({ correlation_id: z.string(), status: z.enum(["queued", "running"]) })
  .openapi("PendingCall");

describes<api.QueueStatus>()(QueueStatusSchema);
describes<api.Bottlenecks>()(BottlenecksSchema);
describes<{ events: api.QueueEvent[] }>()(QueueEventsSchema);
describes<{ tasks: readonly api.TaskReceipt[] }>()(ReceiptsSchema);
