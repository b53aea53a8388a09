import { formatTimestamp } from "../signals/timestamp.ts";
import type { QueueEvent } from "./api.ts";
import type { TaskEvent, TaskTerms } from "./task.ts";

const KEEP = 1_000;

/** The latest events of a queue, in memory only. Events are numbered from 1. */
export class EventTail {
  #events: { readonly task: Pick<TaskTerms, "taskId" | "recipient" | "type">; readonly event: TaskEvent }[] = [];
  #count = 0;

  /** Number of the newest event. */
  get count(): number {
    return this.#count;
  }

  add(task: TaskTerms, event: TaskEvent): void {
    const { taskId, recipient, type } = task;
    this.#events.push({ task: { taskId, recipient, type }, event });
    this.#count++;
    // Cut in large pieces: to remove one event from the front each time would move all the others.
    if (this.#events.length >= 2 * KEEP) this.#events = this.#events.slice(-KEEP);
  }

  /** Oldest first. */
  last(count: number): QueueEvent[] {
    const kept = Math.min(count, KEEP);
    return (kept === 0 ? [] : this.#events.slice(-kept)).map(({ task, event: { atMs, ...event } }) => ({
      at: formatTimestamp(atMs),
      task_id: task.taskId,
      recipient: task.recipient,
      type: task.type,
      ...event,
    }));
  }

  /** Events after the one with this number, as far as they are kept. */
  after(number: number): QueueEvent[] {
    return this.last(Math.max(0, this.#count - number));
  }
}
