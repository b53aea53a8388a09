import { z } from "@hono/zod-openapi";
import {
  Bottlenecks,
  CallReply,
  LeasedTask,
  PendingCall,
  QueueEvent,
  QueueStatus,
  TaskReceipt,
  TaskState,
  TaskView,
} from "../../../core/queue/api.ts";
import { QueueSettings } from "../../../core/queue/queue-settings.ts";
import { Timestamp } from "../../../core/signals/timestamp.ts";
import { named } from "../http/schema-parts.ts";

/** Names, in the OpenAPI document, for the answers about queues. The shapes are those of src/core/queue/api.ts. */
export const ReceiptsSchema = z
  .object({
    tasks: z
      .array(TaskReceipt)
      .readonly()
      .openapi({ description: "In the order of the request. A task that the queue knew has its present status." }),
  })
  .openapi("TaskReceipts");

export const LeasedTasksSchema = z.object({ tasks: z.array(LeasedTask) }).openapi("LeasedTasks");

export const TaskStateSchema = named("SettledTask", TaskState);

export const TaskSchema = named("Task", TaskView);
export const TaskPageSchema = z
  .object({
    tasks: z.array(TaskSchema),
    next: z.int().nullable().openapi({ description: "Send it as `after` to get the next page; null: no more tasks" }),
  })
  .openapi("TaskPage");

export const QueuesSchema = z
  .object({ queues: z.array(z.object({ name: z.string(), created_at: Timestamp })) })
  .openapi("Queues");

export const SettingsSchema = named("QueueSettings", QueueSettings.meta({ type: "object" }));
export const QueueStatusSchema = QueueStatus.extend({ settings: SettingsSchema }).openapi("QueueStatus");

export const BottlenecksSchema = named("Bottlenecks", Bottlenecks);

export const QueueEventsSchema = z.object({ events: z.array(QueueEvent) }).openapi("QueueEvents");

export const ReplySchema = named("CallReply", CallReply);
export const PendingCallSchema = named("PendingCall", PendingCall);
