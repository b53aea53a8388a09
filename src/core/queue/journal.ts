import type { Entry } from "./entry.ts";
import { type FinishedTask, type TaskEvent, withEvent } from "./task.ts";

/** What happened since the last drain, for storage and for whoever counts. */
export interface Changes {
  /** Tasks to be written as they are now, each once. */
  readonly changed: readonly Entry[];
  readonly finished: readonly { readonly entry: Entry; readonly record: FinishedTask }[];
  readonly events: readonly { readonly task: Entry; readonly event: TaskEvent }[];
}

/** What a queue has done that storage does not know yet. */
export class Journal {
  #changed = new Set<Entry>();
  #finished = new Map<string, { entry: Entry; record: FinishedTask }>();
  #events: { task: Entry; event: TaskEvent }[] = [];

  changed(entry: Entry): void {
    this.#changed.add(entry);
  }

  note(entry: Entry, event: TaskEvent): void {
    entry.history = withEvent(entry.history, event);
    this.#changed.add(entry);
    this.#events.push({ task: entry, event });
  }

  finished(entry: Entry, record: FinishedTask): void {
    this.#changed.delete(entry);
    this.#finished.set(record.taskId, { entry, record });
  }

  /** How a task ended of which storage cannot tell yet: what repeats its id in the same transaction is to be known too. */
  ended(taskId: string): FinishedTask | undefined {
    return this.#finished.get(taskId)?.record;
  }

  /** Empties the lists. */
  drain(): Changes {
    const changes = { changed: [...this.#changed], finished: [...this.#finished.values()], events: this.#events };
    this.#changed = new Set();
    this.#finished = new Map();
    this.#events = [];
    return changes;
  }
}
