import { LEAST_URGENT, MOST_URGENT } from "./task.ts";

interface Counted {
  readonly recipient: string;
  readonly priority: number;
}

/** Counts of queued (delayed ones included) and running tasks, updated with each change. */
export class Depths {
  readonly #byPriority: number[] = new Array(LEAST_URGENT).fill(0);
  readonly #byRecipient = new Map<string, { queued: number; running: number }>();
  #queued = 0;
  #running = 0;

  get queued(): number {
    return this.#queued;
  }

  get running(): number {
    return this.#running;
  }

  /** Queued tasks, from the most urgent priority to the least. */
  get byPriority(): readonly number[] {
    return this.#byPriority;
  }

  get byRecipient(): ReadonlyMap<string, { readonly queued: number; readonly running: number }> {
    return this.#byRecipient;
  }

  /** Counts a task that entered the queue, leased or not. */
  add(task: Counted & { readonly lease: unknown }): void {
    this.#change(task, 1, 0);
    if (task.lease !== null) this.start(task);
  }

  /** Counts a task that was leased. */
  start(task: Counted): void {
    this.#change(task, -1, 1);
  }

  /** Counts a task whose lease ended. */
  stop(task: Counted): void {
    this.#change(task, 1, -1);
  }

  /** Counts a queued task that left the queue. */
  remove(task: Counted): void {
    this.#change(task, -1, 0);
  }

  #change({ recipient, priority }: Counted, queued: number, running: number): void {
    this.#queued += queued;
    this.#running += running;
    this.#byPriority[priority - MOST_URGENT] = (this.#byPriority[priority - MOST_URGENT] ?? 0) + queued;
    const counts = this.#byRecipient.get(recipient) ?? { queued: 0, running: 0 };
    counts.queued += queued;
    counts.running += running;
    if (counts.queued + counts.running === 0) this.#byRecipient.delete(recipient);
    else this.#byRecipient.set(recipient, counts);
  }
}
