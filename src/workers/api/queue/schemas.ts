import { Queues } from "../../../core/access/api.ts";
import {
  Bottlenecks,
  CallReply,
  LeasedTasks,
  PendingCall,
  QueueEvents,
  QueueStatus,
  TaskPage,
  TaskReceipts,
  TaskState,
  TaskView,
} from "../../../core/queue/api.ts";
import { FinishedPage } from "../../../core/queue/finished-query.ts";
import { QueueSettings } from "../../../core/queue/queue-settings.ts";
import { named } from "../http/schema-parts.ts";

/** Names, in the OpenAPI document, for the answers about queues. The shapes are those of src/core/queue/api.ts. */
export const ReceiptsSchema = named("TaskReceipts", TaskReceipts);

export const LeasedTasksSchema = named("LeasedTasks", LeasedTasks);

export const TaskStateSchema = named("SettledTask", TaskState);

export const TaskSchema = named("Task", TaskView);
export const TaskPageSchema = named("TaskPage", TaskPage.extend({ tasks: TaskSchema.array() }));

export const FinishedPageSchema = named("FinishedTasks", FinishedPage.extend({ tasks: TaskSchema.array() }));

export const QueuesSchema = named("Queues", Queues);

export const SettingsSchema = named("QueueSettings", QueueSettings.meta({ type: "object" }));
export const QueueStatusSchema = named("QueueStatus", QueueStatus.extend({ settings: SettingsSchema }));

export const BottlenecksSchema = named("Bottlenecks", Bottlenecks);

export const QueueEventsSchema = named("QueueEvents", QueueEvents);

export const ReplySchema = named("CallReply", CallReply);
export const PendingCallSchema = named("PendingCall", PendingCall);
