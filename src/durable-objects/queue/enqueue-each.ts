import type { QueueOverloaded, TaskReceipt } from "../../core/queue/api.ts";
import type { NewTask } from "../../core/queue/task.ts";
import type { EnqueueReceipt } from "../../core/queue/task-answers.ts";
import type { TaskQueue } from "../../core/queue/task-queue.ts";

/** In the order of the tasks; `null`: there was no room for the task. */
export type EachReceipt = { readonly tasks: readonly (TaskReceipt | null)[] } | QueueOverloaded;

/** Queues tasks for as long as there is room. Those that the queue knows need none. */
export function enqueueEach(queue: TaskQueue, tasks: readonly NewTask[], nowMs: number) {
  const all = queue.enqueue(tasks, nowMs);
  if ("receipts" in all) return { tasks: all.receipts.map(receiptOf) };
  return {
    tasks: tasks.map((task) => {
      const one = queue.enqueue([task], nowMs);
      const [receipt] = "receipts" in one ? one.receipts : [];
      return receipt === undefined ? null : receiptOf(receipt);
    }),
  };
}

export const receiptOf = ({ taskId, status, known }: EnqueueReceipt): TaskReceipt =>
  known ? { task_id: taskId, status, known } : { task_id: taskId, status };
