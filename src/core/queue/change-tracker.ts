import type { Entry } from "./entry.ts";
import { type FinishedTask, type TaskEvent, withEvent } from "./task.ts";

/** What changed since the last {@link ChangeTracker.drain}: to be written to storage, counted and published. */
export interface QueueChanges {
  /** Tasks to be written in their present state, each once. */
  readonly changed: readonly Entry[];
  /** Tasks whose workers renewed their leases, of which storage need not know. */
  readonly renewed: readonly Entry[];
  readonly finished: readonly { readonly entry: Entry; readonly record: FinishedTask }[];
  readonly events: readonly { readonly task: Entry; readonly event: TaskEvent }[];
}

/** Collects the changes of a queue that are not written to storage yet. */
export class ChangeTracker {
  #changed = new Set<Entry>();
  #renewed = new Set<Entry>();
  #finished = new Map<string, { entry: Entry; record: FinishedTask }>();
  #events: { task: Entry; event: TaskEvent }[] = [];

  changed(entry: Entry): void {
    this.#changed.add(entry);
  }

  renewed(entry: Entry): void {
    this.#renewed.add(entry);
  }

  /** Adds an event to the task's history. */
  record(entry: Entry, event: TaskEvent): void {
    entry.history = withEvent(entry.history, event);
    this.#changed.add(entry);
    this.#events.push({ task: entry, event });
  }

  finished(entry: Entry, record: FinishedTask): void {
    this.#changed.delete(entry);
    this.#finished.set(record.taskId, { entry, record });
  }

  /** A task that finished since the last drain: storage does not know its id yet, and a repeated id must be recognised. */
  findFinished(taskId: string): FinishedTask | undefined {
    return this.#finished.get(taskId)?.record;
  }

  /** Returns the changes and forgets them. */
  drain(): QueueChanges {
    const changes = {
      changed: [...this.#changed],
      renewed: [...this.#renewed],
      finished: [...this.#finished.values()],
      events: this.#events,
    };
    this.#changed = new Set();
    this.#renewed = new Set();
    this.#finished = new Map();
    this.#events = [];
    return changes;
  }
}
