import { formatTimestamp } from "../signals/timestamp.ts";
import type { QueueEvent } from "./api.ts";
import { Outcome, type TaskEvent, type TaskProgress, type TaskTerms } from "./task.ts";

const KEEP = 1_000;
const OUTCOMES: ReadonlySet<string> = new Set(Outcome.options);

type TailedTask = Pick<TaskTerms, "taskId" | "recipient" | "type" | "priority"> & Pick<TaskProgress, "ranMs">;

/** The latest events of a queue, in memory only. Events are numbered from 1. */
export class EventTail {
  #events: { readonly task: TailedTask; readonly event: TaskEvent }[] = [];
  #count = 0;

  /** Number of the newest event. */
  get count(): number {
    return this.#count;
  }

  /** @param task - after the event: at its end it knows how long workers held it */
  add({ taskId, recipient, type, priority, ranMs }: TailedTask, event: TaskEvent): void {
    this.#events.push({ task: { taskId, recipient, type, priority, ranMs }, event });
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
      priority: task.priority,
      ...(OUTCOMES.has(event.event) && { duration_ms: task.ranMs }),
    }));
  }

  /** Events after the one with this number, as far as they are kept. */
  after(number: number): QueueEvent[] {
    return this.last(Math.max(0, this.#count - number));
  }
}
