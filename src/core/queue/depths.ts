import { LEAST_URGENT, MOST_URGENT } from "./task.ts";

interface Counted {
  readonly recipient: string;
  readonly priority: number;
}

/** Counts of queued (delayed ones included), running and verifying tasks, updated with each change. */
export class Depths {
  readonly #byPriority: number[] = new Array(LEAST_URGENT).fill(0);
  readonly #byRecipient = new Map<string, { queued: number; running: number; verifying: number }>();
  #queued = 0;
  #running = 0;
  #verifying = 0;

  get queued(): number {
    return this.#queued;
  }

  get running(): number {
    return this.#running;
  }

  /** Tasks that wait to be judged. */
  get verifying(): number {
    return this.#verifying;
  }

  /** Queued tasks, from the most urgent priority to the least. */
  get byPriority(): readonly number[] {
    return this.#byPriority;
  }

  get byRecipient(): ReadonlyMap<
    string,
    { readonly queued: number; readonly running: number; readonly verifying: number }
  > {
    return this.#byRecipient;
  }

  /** Counts a task that entered the queue, leased or not. */
  add(task: Counted & { readonly lease: unknown; readonly proof?: unknown }): void {
    this.#change(task, 1, 0);
    if (task.proof !== undefined) this.verify(task);
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

  /** Counts a queued task that waits to be judged from now on. */
  verify(task: Counted): void {
    this.#change(task, -1, 0, 1);
  }

  /** Counts a task that was judged. */
  judged(task: Counted): void {
    this.#change(task, 1, 0, -1);
  }

  /** Counts a queued task that left the queue. */
  remove(task: Counted): void {
    this.#change(task, -1, 0);
  }

  #change({ recipient, priority }: Counted, queued: number, running: number, verifying = 0): void {
    this.#queued += queued;
    this.#running += running;
    this.#verifying += verifying;
    this.#byPriority[priority - MOST_URGENT] = (this.#byPriority[priority - MOST_URGENT] ?? 0) + queued;
    const counts = this.#byRecipient.get(recipient) ?? { queued: 0, running: 0, verifying: 0 };
    counts.queued += queued;
    counts.running += running;
    counts.verifying += verifying;
    if (counts.queued + counts.running + counts.verifying === 0) this.#byRecipient.delete(recipient);
    else this.#byRecipient.set(recipient, counts);
  }
}
