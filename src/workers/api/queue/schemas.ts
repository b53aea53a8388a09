import * as z from "zod";
import { Queues } from "../../../core/access/api.ts";
import {
  Bottlenecks,
  BulkReceipts,
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
import { BulkTasksAnswer } from "../../../core/queue/bulk.ts";
import { FinishedPage } from "../../../core/queue/finished-query.ts";
import { PauseState } from "../../../core/queue/pause.ts";
import { CreatedQueue, QueueSettings } from "../../../core/queue/queue-settings.ts";
import { named } from "../http/schema-parts.ts";

/** Names, in the OpenAPI document, for the answers about queues. The shapes are those of src/core/queue/api.ts. */
export const ReceiptsSchema = named("TaskReceipts", TaskReceipts);

export const LeasedTasksSchema = named("LeasedTasks", LeasedTasks);

export const TaskStateSchema = named("SettledTask", TaskState);

export const TaskSchema = named("Task", TaskView);
/** Of unfinished tasks the next page begins after a number, of finished ones after a text. */
const Next = z
  .union([z.int(), z.string()])
  .nullable()
  .meta(TaskPage.shape.next.meta() ?? {});
export const TaskPageSchema = named("TaskPage", TaskPage.extend({ tasks: TaskSchema.array(), next: Next }));

export const FinishedPageSchema = named("FinishedTasks", FinishedPage.extend({ tasks: TaskSchema.array() }));

export const QueuesSchema = named("Queues", Queues);

export const SettingsSchema = named("QueueSettings", QueueSettings.meta({ type: "object" }));
export const CreatedQueueSchema = named("CreatedQueue", CreatedQueue.extend({ settings: SettingsSchema }));
export const PauseStateSchema = named("PauseState", PauseState);
export const BulkTasksSchema = named("BulkTasks", BulkTasksAnswer);
export const BulkReceiptsSchema = named("BulkReceipts", BulkReceipts);
export const QueueStatusSchema = named("QueueStatus", QueueStatus.extend({ settings: SettingsSchema }));

export const BottlenecksSchema = named("Bottlenecks", Bottlenecks);

export const QueueEventsSchema = named("QueueEvents", QueueEvents);

export const ReplySchema = named("CallReply", CallReply);
export const PendingCallSchema = named("PendingCall", PendingCall);
