import { formatTimestamp } from "../signals/timestamp.ts";
import type { QueueEvent } from "./api.ts";
import type { TaskEvent, TaskTerms } from "./task.ts";

/** Events kept for whoever asks what happened lately. */
const KEEP = 1_000;

/** The last things that happened in a queue, numbered from 1 since the tail began. */
export class EventTail {
  #events: { readonly task: Pick<TaskTerms, "taskId" | "recipient" | "type">; readonly event: TaskEvent }[] = [];
  #count = 0;

  /** Number of the newest. */
  get count(): number {
    return this.#count;
  }

  add(task: TaskTerms, event: TaskEvent): void {
    const { taskId, recipient, type } = task;
    this.#events.push({ task: { taskId, recipient, type }, event });
    this.#count++;
    // Cut in large pieces: taking one from the front each time would move all the others.
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

  /** Those behind the one of this number, as far as they are kept. */
  after(number: number): QueueEvent[] {
    return this.last(Math.max(0, this.#count - number));
  }
}
