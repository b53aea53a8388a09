import type { Entry } from "./entry.ts";
import type { TaskQueue } from "./task-queue.ts";

/** Somebody who waits for tasks: a connected worker, or a call that waits for its answer. */
export interface Waiter {
  readonly recipient: string;
  /** Name under which the queue counts what it holds. */
  readonly holder: string;
  readonly worker: string;
  readonly leaseMs: number;
  /** Whether it can take one more. */
  readonly hasRoom: () => boolean;
  readonly give: (entry: Entry) => void;
}

/**
 * Who waits for tasks. Each hand-out goes round: of several workers of one recipient, the one that was served longest
 * ago is served next, one task at a time, so that none is left idle while another has a pile.
 */
export class Waiters {
  /** In the order of their last serving, longest ago first. */
  readonly #byRecipient = new Map<string, Waiter[]>();

  add(waiter: Waiter): void {
    const group = this.#byRecipient.get(waiter.recipient);
    if (group === undefined) this.#byRecipient.set(waiter.recipient, [waiter]);
    else group.push(waiter);
  }

  remove(waiter: Waiter): void {
    const group = this.#byRecipient.get(waiter.recipient)?.filter((one) => one !== waiter) ?? [];
    if (group.length === 0) this.#byRecipient.delete(waiter.recipient);
    else this.#byRecipient.set(waiter.recipient, group);
  }

  /** Whether anybody is there who takes tasks for `recipient`. */
  serves(recipient: string): boolean {
    return recipient === "*" ? this.#byRecipient.size > 0 : this.#byRecipient.has(recipient);
  }

  /** How many there are, by recipient. */
  get counts(): Record<string, number> {
    return Object.fromEntries([...this.#byRecipient].map(([recipient, group]) => [recipient, group.length]));
  }

  /** Hands tasks out until there are none, or nobody with room for them. */
  handOut(queue: TaskQueue, nowMs: number): void {
    const open = new Set([...this.#byRecipient.keys()].filter((recipient) => queue.hasFor(recipient)));
    while (open.size > 0) {
      for (const recipient of open) if (!this.#serveOne(recipient, queue, nowMs)) open.delete(recipient);
    }
  }

  #serveOne(recipient: string, queue: TaskQueue, nowMs: number): boolean {
    const group = this.#byRecipient.get(recipient) ?? [];
    const place = group.findIndex((waiter) => waiter.hasRoom());
    const waiter = group[place];
    if (waiter === undefined) return false;
    const entry = queue.lease(recipient, waiter.holder, waiter.worker, waiter.leaseMs, nowMs);
    if (entry === undefined) return false;
    group.splice(place, 1);
    group.push(waiter);
    waiter.give(entry);
    return true;
  }
}
