import { Heap } from "../collections/heap.ts";
import { LEAST_URGENT, MOST_URGENT } from "./task.ts";

/** The fields of a task by which the ready queues order it. */
interface ReadyTask {
  readonly seq: number;
  readonly recipient: string;
  readonly priority: number;
  readonly createdMs: number;
}

/** The ready tasks of one recipient. */
interface RecipientQueues<Task> {
  /** One heap for each priority, most urgent first; the key is the position of arrival. */
  readonly byPriority: Heap<Task>[];
  ready: number;
  /** Tasks in the heaps that are not ready any more. */
  tombstones: number;
}

/**
 * Tasks that can be leased: one queue for each recipient and priority, each in the order of arrival. A task that leaves
 * from the middle (cancelled, expired) stays as a tombstone until it reaches the front of its queue, or until the
 * tombstones of the recipient outnumber its tasks. So no operation looks at more than the fronts of the queues.
 */
export class ReadyQueues<Task extends ReadyTask> {
  readonly #byRecipient = new Map<string, RecipientQueues<Task>>();
  readonly #isReady: (task: Task) => boolean;
  #size = 0;

  /** @param isReady - `false` for a tombstone */
  constructor(isReady: (task: Task) => boolean) {
    this.#isReady = isReady;
  }

  get size(): number {
    return this.#size;
  }

  add(task: Task): void {
    let queues = this.#byRecipient.get(task.recipient);
    if (queues === undefined) {
      queues = { byPriority: Array.from({ length: LEAST_URGENT }, () => new Heap<Task>()), ready: 0, tombstones: 0 };
      this.#byRecipient.set(task.recipient, queues);
    }
    queues.byPriority[task.priority - MOST_URGENT]?.push(task.seq, task);
    queues.ready++;
    this.#size++;
  }

  /** Turns a task that left without being leased into a tombstone. `isReady` must answer `false` for the task by now. */
  remove(task: Task): void {
    const queues = this.#byRecipient.get(task.recipient);
    if (queues === undefined) return;
    this.#decrement(task.recipient, queues);
    queues.tombstones++;
    if (queues.tombstones < 64 || queues.tombstones < queues.ready) return;
    for (const heap of queues.byPriority) heap.retain(this.#isReady);
    queues.tombstones = 0;
  }

  hasFor(recipient: string): boolean {
    return this.#byRecipient.has(recipient);
  }

  /** Recipients that have a ready task. */
  recipients(): Iterable<string> {
    return this.#byRecipient.keys();
  }

  /**
   * Removes and returns the most urgent task, and the oldest of the equally urgent ones.
   *
   * @param recipients - whose queues to look at
   * @param ageingMs - each time this passes, a waiting task gains one step of priority; `null`: never
   */
  take(recipients: readonly string[], nowMs: number, ageingMs: number | null): Task | undefined {
    let best: Heap<Task> | undefined;
    let task: Task | undefined;
    let bestRank = 0;
    for (const recipient of recipients) {
      for (const heap of this.#byRecipient.get(recipient)?.byPriority ?? []) {
        const front = this.#front(heap);
        if (front === undefined) continue;
        const rank = rankOf(front, nowMs, ageingMs);
        if (task === undefined || rank < bestRank || (rank === bestRank && front.seq < task.seq)) {
          best = heap;
          task = front;
          bestRank = rank;
        }
        // Without ageing the heaps are in the order of urgency: the first one with a task holds the recipient's best.
        if (ageingMs === null) break;
      }
    }
    if (task === undefined) return undefined;
    best?.pop();
    const queues = this.#byRecipient.get(task.recipient);
    if (queues !== undefined) this.#decrement(task.recipient, queues);
    return task;
  }

  /** The task that arrived first, of all recipients. */
  oldest(): Task | undefined {
    let oldest: Task | undefined;
    for (const { byPriority } of this.#byRecipient.values()) {
      for (const heap of byPriority) {
        const front = this.#front(heap);
        if (front !== undefined && (oldest === undefined || front.seq < oldest.seq)) oldest = front;
      }
    }
    return oldest;
  }

  /** Drops the heaps of a recipient with its last task, so that recipients that come and go leave nothing behind. */
  #decrement(recipient: string, queues: RecipientQueues<Task>): void {
    queues.ready--;
    this.#size--;
    if (queues.ready === 0) this.#byRecipient.delete(recipient);
  }

  #front(heap: Heap<Task>): Task | undefined {
    while (heap.first !== undefined && !this.#isReady(heap.first)) heap.pop();
    return heap.first;
  }
}

/** Priority after ageing. A clock that was set back makes no task younger than new. */
function rankOf(task: ReadyTask, nowMs: number, ageingMs: number | null): number {
  if (ageingMs === null) return task.priority;
  const steps = Math.floor(Math.max(0, nowMs - task.createdMs) / ageingMs);
  return Math.max(MOST_URGENT, task.priority - steps);
}
