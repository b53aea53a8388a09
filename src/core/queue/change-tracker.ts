import type { Accept, Proof, Verdict } from "./accept.ts";
import type { Entry } from "./entry.ts";
import { type FinishedTask, type TaskEvent, withEvent } from "./task.ts";

interface EndedTask {
  readonly entry: Entry;
  readonly record: FinishedTask;
}

/** A task that was judged, and what its worker had said beside the result. */
export interface JudgedTask {
  readonly task: Entry;
  readonly verdict: Verdict;
  readonly evidenceJson: string | null;
}

/** What changed since the last {@link ChangeTracker.drain}: to be written to storage, counted and published. */
export interface QueueChanges {
  /** Tasks to be written in their present state, each once. */
  readonly changed: readonly Entry[];
  /** Tasks whose workers renewed their leases, of which storage need not know. */
  readonly renewed: readonly Entry[];
  readonly finished: readonly EndedTask[];
  /** Tasks that were taken out without a trace: storage forgets them, and nobody counts them. */
  readonly purged: readonly EndedTask[];
  /** Tasks that others have to judge: they have to be asked. */
  readonly proving: readonly Entry[];
  /** Proofs that nobody has to judge any more: their tasks were cancelled. */
  readonly withdrawn: readonly { readonly accept: Accept; readonly proof: Proof }[];
  readonly judged: readonly JudgedTask[];
  readonly events: readonly { readonly task: Entry; readonly event: TaskEvent }[];
}

/** Collects the changes of a queue that are not written to storage yet. */
export class ChangeTracker {
  #changed = new Set<Entry>();
  #renewed = new Set<Entry>();
  #finished = new Map<string, EndedTask>();
  #purged: EndedTask[] = [];
  #proving = new Set<Entry>();
  #withdrawn: { accept: Accept; proof: Proof }[] = [];
  #judged: JudgedTask[] = [];
  #events: { task: Entry; event: TaskEvent }[] = [];

  changed(entry: Entry): void {
    this.#changed.add(entry);
  }

  renewed(entry: Entry): void {
    this.#renewed.add(entry);
  }

  proving(entry: Entry): void {
    this.#proving.add(entry);
  }

  /** To be called before a task ends that may wait to be judged. */
  withdraw({ accept, proof }: Entry): void {
    if (accept !== undefined && proof !== undefined) this.#withdrawn.push({ accept, proof });
  }

  judged(judged: JudgedTask): void {
    this.#judged.push(judged);
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

  /** A task that has just ended is not kept. */
  purged(taskId: string): void {
    const ended = this.#finished.get(taskId);
    if (ended !== undefined && this.#finished.delete(taskId)) this.#purged.push(ended);
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
      purged: this.#purged,
      proving: [...this.#proving],
      withdrawn: this.#withdrawn,
      judged: this.#judged,
      events: this.#events,
    };
    this.#changed = new Set();
    this.#renewed = new Set();
    this.#finished = new Map();
    this.#purged = [];
    this.#proving = new Set();
    this.#withdrawn = [];
    this.#judged = [];
    this.#events = [];
    return changes;
  }
}
