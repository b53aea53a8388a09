import { formatTimestamp } from "../signals/timestamp.ts";
import type { QueueEvent } from "./api.ts";
import { OUTCOMES } from "./outcomes.ts";
import type { TaskEvent, TaskProgress, TaskTerms } from "./task.ts";

const KEEP = 1_000;
const ENDS: ReadonlySet<string> = new Set(OUTCOMES);

type TailedTask = Pick<TaskTerms, "taskId" | "recipient" | "type" | "priority"> & Pick<TaskProgress, "ranMs">;

/** An event, and its task after it. */
export interface TailedEvent {
  readonly task: TailedTask;
  readonly event: TaskEvent;
}

/**
 * The latest events of a queue. Events are numbered from 1; those of before this life of the queue in memory, which are read
 * from the histories of its tasks, have lower numbers.
 */
export class EventTail {
  /** Since when events are in memory as they happen. */
  readonly sinceMs: number;
  #events: TailedEvent[] = [];
  #count = 0;
  #restored = false;

  constructor(sinceMs: number) {
    this.sinceMs = sinceMs;
  }

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

  /** Whether so many events are in memory, or as many as there are. */
  holds(count: number): boolean {
    return this.#restored || this.#events.length >= Math.min(count, KEEP);
  }

  /** @param events - of before {@link sinceMs}, oldest first */
  restore(events: readonly TailedEvent[]): void {
    if (this.#restored) return;
    this.#restored = true;
    this.#events = [...events.slice(-KEEP), ...this.#events];
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
      ...(ENDS.has(event.event) && { duration_ms: task.ranMs }),
    }));
  }

  /** Events after the one with this number, as far as they are kept. */
  after(number: number): QueueEvent[] {
    return this.last(Math.max(0, this.#count - number));
  }
}
