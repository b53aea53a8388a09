import { formatTimestamp } from "../signals/timestamp.ts";
import type { QueueEvent } from "./queue-api.ts";
import type { TaskEvent, TaskTerms } from "./task.ts";

/** Events kept for whoever asks what happened lately. */
const KEEP = 1_000;

/** The last things that happened in a queue. */
export class EventTail {
  #events: { readonly task: Pick<TaskTerms, "taskId" | "recipient" | "type">; readonly event: TaskEvent }[] = [];

  add(task: TaskTerms, event: TaskEvent): void {
    const { taskId, recipient, type } = task;
    this.#events.push({ task: { taskId, recipient, type }, event });
    // Cut in large pieces: taking one from the front each time would move all the others.
    if (this.#events.length >= 2 * KEEP) this.#events = this.#events.slice(-KEEP);
  }

  /** Oldest first. */
  last(count: number): QueueEvent[] {
    return this.#events.slice(-Math.min(count, KEEP)).map(({ task, event: { atMs, ...event } }) => ({
      at: formatTimestamp(atMs),
      task_id: task.taskId,
      recipient: task.recipient,
      type: task.type,
      ...event,
    }));
  }
}
