import { Heap } from "../collections/heap.ts";
import { LEAST_URGENT, MOST_URGENT } from "./task.ts";

/** The fields of a task by which the ready queues order it. */
interface ReadyTask {
  readonly seq: number;
  readonly recipient: string;
  readonly priority: number;
  readonly createdMs: number;
}

/** Where the ready queues find the tasks of which they have the places. */
export interface ReadySource<Task> {
  /** `false` for a tombstone. Reads nothing. */
  isReady(seq: number): boolean;
  /** @param next - places of tasks that will mostly be asked for next */
  read(seq: number, next: readonly number[]): Task;
}

/** The ready tasks of one recipient. */
interface RecipientQueues {
  /** One heap for each priority, most urgent first, with the positions of arrival. */
  readonly byPriority: Heap<number>[];
  ready: number;
  /** Tasks in the heaps that are not ready any more. */
  tombstones: number;
}

/** Tasks that are read together. */
const AHEAD = 64;

/**
 * Tasks that can be leased: one queue for each recipient and priority, each in the order of arrival. A task that leaves
 * from the middle (cancelled, expired) stays as a tombstone until it reaches the front of its queue, or until the
 * tombstones of the recipient outnumber its tasks. So no operation looks at more than the fronts of the queues, and a task
 * far down need not be in memory.
 */
export class ReadyQueues<Task extends ReadyTask> {
  readonly #byRecipient = new Map<string, RecipientQueues>();
  readonly #source: ReadySource<Task>;
  #size = 0;

  constructor(source: ReadySource<Task>) {
    this.#source = source;
  }

  get size(): number {
    return this.#size;
  }

  add({ seq, recipient, priority }: Pick<ReadyTask, "seq" | "recipient" | "priority">): void {
    let queues = this.#byRecipient.get(recipient);
    if (queues === undefined) {
      queues = { byPriority: Array.from({ length: LEAST_URGENT }, () => new Heap<number>()), ready: 0, tombstones: 0 };
      this.#byRecipient.set(recipient, queues);
    }
    queues.byPriority[priority - MOST_URGENT]?.push(seq, seq);
    queues.ready++;
    this.#size++;
  }

  /** Turns a task that left without being leased into a tombstone. The source must not call the task ready by now. */
  remove(recipient: string): void {
    const queues = this.#byRecipient.get(recipient);
    if (queues === undefined) return;
    this.#decrement(recipient, queues);
    queues.tombstones++;
    if (queues.tombstones < 64 || queues.tombstones < queues.ready) return;
    for (const heap of queues.byPriority) heap.retain((seq) => this.#source.isReady(seq));
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
    let best: Heap<number> | undefined;
    let bestSeq = 0;
    let bestRank = 0;
    for (const recipient of recipients) {
      const heaps = this.#byRecipient.get(recipient)?.byPriority ?? [];
      for (let place = 0; place < heaps.length; place++) {
        const heap = heaps[place] as Heap<number>;
        const seq = this.#front(heap);
        if (seq === undefined) continue;
        const rank =
          ageingMs === null ? place + MOST_URGENT : rankOf(this.#source.read(seq, heap.peek(AHEAD)), nowMs, ageingMs);
        if (best === undefined || rank < bestRank || (rank === bestRank && seq < bestSeq)) {
          best = heap;
          bestSeq = seq;
          bestRank = rank;
        }
        // Without ageing the heaps are in the order of urgency: the first one with a task holds the recipient's best.
        if (ageingMs === null) break;
      }
    }
    if (best === undefined) return undefined;
    const task = this.#source.read(bestSeq, best.peek(AHEAD));
    best.pop();
    const queues = this.#byRecipient.get(task.recipient);
    if (queues !== undefined) this.#decrement(task.recipient, queues);
    return task;
  }

  /** The position of the task that arrived first, of all recipients, and those that come next in its queue. */
  oldest(): { readonly seq: number; readonly next: readonly number[] } | undefined {
    let oldest: number | undefined;
    let from: Heap<number> | undefined;
    for (const { byPriority } of this.#byRecipient.values()) {
      for (const heap of byPriority) {
        const front = this.#front(heap);
        if (front === undefined || (oldest !== undefined && front > oldest)) continue;
        oldest = front;
        from = heap;
      }
    }
    return oldest === undefined ? undefined : { seq: oldest, next: from?.peek(AHEAD) ?? [] };
  }

  /** Drops the heaps of a recipient with its last task, so that recipients that come and go leave nothing behind. */
  #decrement(recipient: string, queues: RecipientQueues): void {
    queues.ready--;
    this.#size--;
    if (queues.ready === 0) this.#byRecipient.delete(recipient);
  }

  #front(heap: Heap<number>): number | undefined {
    while (heap.first !== undefined && !this.#source.isReady(heap.first)) heap.pop();
    return heap.first;
  }
}

/** Priority after ageing. A clock that was set back makes no task younger than new. */
function rankOf(task: ReadyTask, nowMs: number, ageingMs: number): number {
  const steps = Math.floor(Math.max(0, nowMs - task.createdMs) / ageingMs);
  return Math.max(MOST_URGENT, task.priority - steps);
}
