import type { EnqueueAnswer } from "../../core/queue/api.ts";
import type { NewTask } from "../../core/queue/task.ts";
import type { TaskAction, TaskActionAnswer } from "../../core/queue/task-action.ts";
import type { RelayBindings } from "../shell/outbox-relay.ts";
import type { Namespace } from "../shell/ports.ts";

/** Calls that schedules make of queues. */
interface QueueCalls {
  enqueue(tasks: readonly NewTask[]): Promise<EnqueueAnswer>;
  applyAction(action: TaskAction): Promise<TaskActionAnswer>;
  tasksById(taskIds: readonly string[]): Promise<string[]>;
}

/** Bindings that the schedules use. */
export interface SchedulesBindings extends RelayBindings {
  readonly PRIORITY_QUEUE: Namespace<QueueCalls>;
  readonly DIRECTORY: Namespace<{ mark(mark: "scheduling", ecosystem: string, marked: boolean): Promise<void> }>;
}
