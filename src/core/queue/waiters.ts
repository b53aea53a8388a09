import { Heap } from "../collections/heap.ts";
import type { Entry } from "./entry.ts";
import { type Abilities, gpuMemoryOf } from "./needs.ts";
import { fits, NO_SKILLS } from "./route.ts";
import type { TaskQueue } from "./task-queue.ts";

/** A connected worker, or a lease request that waits for its answer. */
export interface Waiter {
  readonly recipient: string;
  /** Name under which the queue counts the tasks that the waiter holds. */
  readonly holder: string;
  readonly worker: string;
  readonly leaseMs: number;
  /** What it can do; absent: nothing that a task could need. */
  readonly skills?: Abilities | undefined;
  /** The host that it runs on, and how busy that is now, 0 to 100; absent: it does not say. */
  readonly host?: string | undefined;
  readonly load?: (() => number) | undefined;
  /** It was given a task. */
  readonly took?: ((entry: Entry) => void) | undefined;
  /** Whether the waiter can take one more task. */
  readonly hasRoom: () => boolean;
  readonly give: (entry: Entry) => void;
}

/** A task that a waiter holds weighs as much as so many percent of its host's CPU or GPU. */
const LOAD_OF_A_TASK = 10;
/** Waiters of a queue at most, which its sockets and requests are far below. */
const MANY = 2 ** 20;

/**
 * All who wait for tasks. Serves the waiters of a recipient in turn, one task at a time and the longest unserved first,
 * so that no worker is idle while another has a pile. Where some of them have skills, the waiter that holds the fewest tasks
 * is first, whatever its recipient.
 */
export class Waiters {
  /** In the order of their last task, longest ago first. */
  readonly #byRecipient = new Map<string, Waiter[]>();
  #skilled = 0;
  readonly #added: (recipient: string) => void;

  /** @param added - is notified of the recipient of each waiter that comes */
  constructor(added: (recipient: string) => void = () => undefined) {
    this.#added = added;
  }

  add(waiter: Waiter): void {
    this.#added(waiter.recipient);
    if (isSkilled(waiter)) this.#skilled++;
    const waiters = this.#byRecipient.get(waiter.recipient);
    if (waiters === undefined) this.#byRecipient.set(waiter.recipient, [waiter]);
    else waiters.push(waiter);
  }

  remove(waiter: Waiter): void {
    const before = this.#byRecipient.get(waiter.recipient) ?? [];
    const waiters = before.filter((one) => one !== waiter);
    if (isSkilled(waiter)) this.#skilled -= before.length - waiters.length;
    if (waiters.length === 0) this.#byRecipient.delete(waiter.recipient);
    else this.#byRecipient.set(waiter.recipient, waiters);
  }

  /** Whether a waiter takes tasks for `recipient` that need these skills. */
  serves(recipient: string, needs: readonly string[] = []): boolean {
    if (needs.length === 0) return recipient === "*" ? this.#byRecipient.size > 0 : this.#byRecipient.has(recipient);
    const waiters = recipient === "*" ? [...this.#byRecipient.values()].flat() : this.#byRecipient.get(recipient);
    return waiters?.some(({ skills }) => skills !== undefined && fits(needs, skills)) ?? false;
  }

  /** Whether a waiter for `recipient` can take one more task. */
  hasRoom(recipient: string): boolean {
    return this.#byRecipient.get(recipient)?.some((waiter) => waiter.hasRoom()) ?? false;
  }

  /** Hosts of waiters that take tasks of `recipient` and have what does not change of these needs, as far as they say them. */
  hostsFor(recipient: string, needs: readonly string[] = []): string[] {
    const waiters = recipient === "*" ? [...this.#byRecipient.values()].flat() : this.#byRecipient.get(recipient);
    const lasting = needs.filter((need) => gpuMemoryOf(need) === undefined);
    const able = waiters?.filter(({ skills = NO_SKILLS }) => fits(lasting, skills)) ?? [];
    return [...new Set(able.flatMap(({ host }) => host ?? []))].sort();
  }

  /** Number of waiters by recipient. */
  get counts(): Record<string, number> {
    return Object.fromEntries([...this.#byRecipient].map(([recipient, waiters]) => [recipient, waiters.length]));
  }

  /** Hands tasks out until none is left, or no waiter has room for one. */
  handOut(queue: TaskQueue, nowMs: number): void {
    if (this.#skilled > 0) return this.#handOutByLoad(queue, nowMs);
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
    const entry = queue.lease(waiter, nowMs);
    if (entry === undefined) return false;
    waiters.splice(index, 1);
    waiters.push(waiter);
    waiter.give(entry);
    waiter.took?.(entry);
    return true;
  }

  /**
   * The least loaded waiter first, by the tasks that it holds and by how busy its host is; of equal ones that whose last task is longest ago. One that gets none is not asked again:
   * no task comes meanwhile.
   */
  #handOutByLoad(queue: TaskQueue, nowMs: number): void {
    const byLoad = new Heap<Waiter>();
    const order = (waiter: Waiter, place: number) =>
      (queue.heldBy(waiter.holder) + (waiter.load?.() ?? 0) / LOAD_OF_A_TASK) * MANY + place;
    let place = 0;
    for (const waiters of this.#byRecipient.values())
      for (const waiter of waiters) if (waiter.hasRoom()) byLoad.push(order(waiter, place++), waiter);
    for (let waiter = byLoad.pop(); waiter !== undefined; waiter = byLoad.pop()) {
      const entry = queue.lease(waiter, nowMs);
      if (entry === undefined) continue;
      const waiters = this.#byRecipient.get(waiter.recipient) ?? [];
      waiters.splice(waiters.indexOf(waiter), 1);
      waiters.push(waiter);
      waiter.give(entry);
      waiter.took?.(entry);
      if (waiter.hasRoom()) byLoad.push(order(waiter, place++), waiter);
    }
  }
}

const isSkilled = ({ skills }: Waiter) => skills !== undefined && skills.size > 0;
