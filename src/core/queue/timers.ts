import { Heap } from "../collections/heap.ts";

/** An item with a time at which it is due. */
export interface Timed {
  /** Due time; `Infinity`: never. Only {@link Timers} writes this field. */
  dueMs: number;
}

/**
 * Timers that are mostly set again before they run out. An old setting stays in the heap as a tombstone: it is skipped
 * when it reaches the front, and all tombstones are cleared when the heap has doubled since the last clearing.
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

  /** Removes and returns one item that is due. */
  takeDue(nowMs: number): Item | undefined {
    const next = this.nextMs;
    if (next === undefined || next > nowMs) return undefined;
    const item = this.#heap.pop();
    if (item !== undefined) item.dueMs = Number.POSITIVE_INFINITY;
    return item;
  }
}
