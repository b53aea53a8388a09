import { Heap } from "./heap.ts";

/** Something that is to be looked at when its time comes. */
export interface Timed {
  /** When; `Infinity`: never. Only {@link Timers} writes it. */
  dueMs: number;
}

/**
 * Timers that are mostly set again before they run out. An old setting stays in the heap as a husk: it is passed over
 * when it comes to the front, and all of them are cleared when they are the most.
 */
export class Timers<Item extends Timed> {
  readonly #heap = new Heap<Item>();
  #clearAt = 4_096;

  set(item: Item, dueMs: number): void {
    if (item.dueMs === dueMs) return;
    item.dueMs = dueMs;
    if (dueMs === Number.POSITIVE_INFINITY) return;
    this.#heap.push(dueMs, item);
    if (this.#heap.size < this.#clearAt) return;
    this.#heap.retain((one, key) => one.dueMs === key);
    this.#clearAt = Math.max(4_096, 2 * this.#heap.size);
  }

  get nextMs(): number | undefined {
    while (this.#heap.first !== undefined && this.#heap.first.dueMs !== this.#heap.firstKey) this.#heap.pop();
    return this.#heap.firstKey;
  }

  /** Takes out one item whose time has come. */
  takeDue(nowMs: number): Item | undefined {
    const next = this.nextMs;
    if (next === undefined || next > nowMs) return undefined;
    const item = this.#heap.pop();
    if (item !== undefined) item.dueMs = Number.POSITIVE_INFINITY;
    return item;
  }
}
