import { Heap } from "./heap.ts";
import { LEAST_URGENT, MOST_URGENT } from "./task.ts";

/** What the lanes need to know of a task. */
export interface Waiting {
  readonly seq: number;
  readonly recipient: string;
  readonly priority: number;
  readonly createdMs: number;
}

interface Group<Task> {
  /** One for each priority, most urgent first; the key is the place of arrival. */
  readonly lanes: Heap<Task>[];
  waiting: number;
  husks: number;
}

/**
 * Tasks that can be given out: a lane for each recipient and priority, each in the order of arrival. A task that
 * leaves from the middle (cancelled, expired) stays as a husk until it comes to the front of its lane, or until there
 * are more husks than tasks. So no operation looks at more than the fronts of the lanes.
 */
export class ReadyQueues<Task extends Waiting> {
  readonly #groups = new Map<string, Group<Task>>();
  readonly #isWaiting: (task: Task) => boolean;
  #size = 0;

  /** @param isWaiting - `false` for a husk */
  constructor(isWaiting: (task: Task) => boolean) {
    this.#isWaiting = isWaiting;
  }

  get size(): number {
    return this.#size;
  }

  add(task: Task): void {
    let group = this.#groups.get(task.recipient);
    if (group === undefined) {
      group = { lanes: Array.from({ length: LEAST_URGENT }, () => new Heap<Task>()), waiting: 0, husks: 0 };
      this.#groups.set(task.recipient, group);
    }
    group.lanes[task.priority - MOST_URGENT]?.push(task.seq, task);
    group.waiting++;
    this.#size++;
  }

  /** Notes that a task left without having been taken; `isWaiting` says `false` of it by now. */
  left(task: Task): void {
    const group = this.#groups.get(task.recipient);
    if (group === undefined) return;
    this.#less(task.recipient, group);
    group.husks++;
    if (group.husks < 64 || group.husks < group.waiting) return;
    for (const lane of group.lanes) lane.retain(this.#isWaiting);
    group.husks = 0;
  }

  hasFor(recipient: string): boolean {
    return this.#groups.has(recipient);
  }

  /** Recipients that something waits for. */
  recipients(): Iterable<string> {
    return this.#groups.keys();
  }

  /**
   * Takes the most urgent task out, the oldest of those.
   *
   * @param recipients - whose lanes to look at
   * @param ageingMs - each time this passes, a waiting task gains one step of priority; `null`: never
   */
  take(recipients: readonly string[], nowMs: number, ageingMs: number | null): Task | undefined {
    let best: Heap<Task> | undefined;
    let task: Task | undefined;
    let bestRank = 0;
    for (const recipient of recipients) {
      for (const lane of this.#groups.get(recipient)?.lanes ?? []) {
        const front = this.#front(lane);
        if (front === undefined) continue;
        const rank = rankOf(front, nowMs, ageingMs);
        if (task === undefined || rank < bestRank || (rank === bestRank && front.seq < task.seq)) {
          best = lane;
          task = front;
          bestRank = rank;
        }
        // Without ageing the lanes stand in the order of urgency: the first that is not empty is the recipient's best.
        if (ageingMs === null) break;
      }
    }
    if (task === undefined) return undefined;
    best?.pop();
    const group = this.#groups.get(task.recipient);
    if (group !== undefined) this.#less(task.recipient, group);
    return task;
  }

  /** The task that has been here longest, whoever it is for. */
  oldest(): Task | undefined {
    let oldest: Task | undefined;
    for (const { lanes } of this.#groups.values()) {
      for (const lane of lanes) {
        const front = this.#front(lane);
        if (front !== undefined && (oldest === undefined || front.seq < oldest.seq)) oldest = front;
      }
    }
    return oldest;
  }

  /** With its last task a group goes, and its husks with it: recipients that come and go leave nothing behind. */
  #less(recipient: string, group: Group<Task>): void {
    group.waiting--;
    this.#size--;
    if (group.waiting === 0) this.#groups.delete(recipient);
  }

  #front(lane: Heap<Task>): Task | undefined {
    while (lane.first !== undefined && !this.#isWaiting(lane.first)) lane.pop();
    return lane.first;
  }
}

/** Priority that counts now. A clock that was set back makes nothing younger than new. */
export function rankOf(task: Waiting, nowMs: number, ageingMs: number | null): number {
  if (ageingMs === null) return task.priority;
  const steps = Math.floor(Math.max(0, nowMs - task.createdMs) / ageingMs);
  return Math.max(MOST_URGENT, task.priority - steps);
}
