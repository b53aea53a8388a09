import type { Entry } from "./entry.ts";
import type { TaskQueue } from "./task-queue.ts";

/** A connected worker, or a lease request that waits for its answer. */
export interface Waiter {
  readonly recipient: string;
  /** Name under which the queue counts the tasks that the waiter holds. */
  readonly holder: string;
  readonly worker: string;
  readonly leaseMs: number;
  /** Whether the waiter can take one more task. */
  readonly hasRoom: () => boolean;
  readonly give: (entry: Entry) => void;
}

/**
 * All who wait for tasks. Serves the waiters of a recipient in turn, one task at a time and the longest unserved first,
 * so that no worker is idle while another has a pile.
 */
export class Waiters {
  /** In the order of their last task, longest ago first. */
  readonly #byRecipient = new Map<string, Waiter[]>();

  add(waiter: Waiter): void {
    const waiters = this.#byRecipient.get(waiter.recipient);
    if (waiters === undefined) this.#byRecipient.set(waiter.recipient, [waiter]);
    else waiters.push(waiter);
  }

  remove(waiter: Waiter): void {
    const waiters = this.#byRecipient.get(waiter.recipient)?.filter((one) => one !== waiter) ?? [];
    if (waiters.length === 0) this.#byRecipient.delete(waiter.recipient);
    else this.#byRecipient.set(waiter.recipient, waiters);
  }

  /** Whether a waiter takes tasks for `recipient`. */
  serves(recipient: string): boolean {
    return recipient === "*" ? this.#byRecipient.size > 0 : this.#byRecipient.has(recipient);
  }

  /** Number of waiters by recipient. */
  get counts(): Record<string, number> {
    return Object.fromEntries([...this.#byRecipient].map(([recipient, waiters]) => [recipient, waiters.length]));
  }

  /** Hands tasks out until none is left, or no waiter has room for one. */
  handOut(queue: TaskQueue, nowMs: number): void {
    const open = new Set([...this.#byRecipient.keys()].filter((recipient) => queue.hasFor(recipient)));
    while (open.size > 0) {
      for (const recipient of open) if (!this.#serveOne(recipient, queue, nowMs)) open.delete(recipient);
    }
  }

  #serveOne(recipient: string, queue: TaskQueue, nowMs: number): boolean {
    const waiters = this.#byRecipient.get(recipient) ?? [];
    const index = waiters.findIndex((waiter) => waiter.hasRoom());
    const waiter = waiters[index];
    if (waiter === undefined) return false;
    const entry = queue.lease(recipient, waiter.holder, waiter.worker, waiter.leaseMs, nowMs);
    if (entry === undefined) return false;
    waiters.splice(index, 1);
    waiters.push(waiter);
    waiter.give(entry);
    return true;
  }
}
