import { Heap } from "../collections/heap.ts";
import type { Entry } from "./entry.ts";
import { hashOfId, type WaitingPlace } from "./waiting-place.ts";

/** Tombstones among the due times at which they are cleared. */
const CLEAR_AT = 4_096;
/** What the place of a parked task takes. */
const PLACE_BYTES = 72;

/**
 * Tasks that are far down a queue and only in storage: of each, memory has its place in the order, a hash of its id and
 * when it is due. That takes a tenth of what a task takes.
 */
export class ParkedTasks {
  /** Twice the hash of the id, and one more where the task is ready; by place. */
  readonly #marks = new Map<number, number>();
  /** Places by the hash of the id; made when the first task is named, since a queue that wakes is mostly asked for any. */
  #places: Map<number, number | readonly number[]> | undefined;
  /** Places by due time; those of tasks that are not parked any more, or were parked anew, stay as tombstones. */
  readonly #due = new Heap<number>();
  /** Due time by place, of the tasks that have one. */
  readonly #dueOf = new Map<number, number>();
  #clearAt = CLEAR_AT;

  get size(): number {
    return this.#marks.size;
  }

  /** What all of them take in memory, about. */
  get heapBytes(): number {
    return PLACE_BYTES * this.size;
  }

  has(seq: number): boolean {
    return this.#marks.has(seq);
  }

  /** Whether the task is parked, and could be leased. */
  isReady(seq: number): boolean {
    return ((this.#marks.get(seq) ?? 0) & 1) === 1;
  }

  /** @param dueMs - when the delay or the deadline of the task ends; infinite: never */
  park({ seq, taskId, state }: Pick<Entry, "seq" | "taskId" | "state">, dueMs: number): void {
    this.add({ seq, idHash: hashOfId(taskId), ready: state === "ready", dueMs });
  }

  /** As {@link park}, of a task that was not read. */
  add({ seq, idHash, ready, dueMs }: Pick<WaitingPlace, "seq" | "idHash" | "ready" | "dueMs">): void {
    this.#marks.set(seq, 2 * idHash + (ready ? 1 : 0));
    if (this.#places !== undefined) name(this.#places, idHash, seq);
    if (dueMs === Number.POSITIVE_INFINITY) return;
    this.#dueOf.set(seq, dueMs);
    this.#due.push(dueMs, seq);
    if (this.#due.size < this.#clearAt) return;
    this.#due.retain((one, key) => this.#dueOf.get(one) === key);
    this.#clearAt = Math.max(CLEAR_AT, 2 * this.#due.size);
  }

  delete(seq: number): void {
    const mark = this.#marks.get(seq);
    if (mark === undefined) return;
    this.#marks.delete(seq);
    this.#dueOf.delete(seq);
    if (this.#places === undefined) return;
    const hash = mark >> 1;
    const places = [this.#places.get(hash) ?? []].flat().filter((one) => one !== seq);
    const [only] = places;
    if (only === undefined) this.#places.delete(hash);
    else this.#places.set(hash, places.length === 1 ? only : places);
  }

  /** Places of the tasks that may have this id: mostly one or none. */
  mayHave(taskId: string): readonly number[] {
    this.#places ??= this.#named();
    return [this.#places.get(hashOfId(taskId)) ?? []].flat();
  }

  #named(): Map<number, number | readonly number[]> {
    const places = new Map<number, number | readonly number[]>();
    for (const [seq, mark] of this.#marks) name(places, mark >> 1, seq);
    return places;
  }

  /** When the next task may be due. */
  get nextDueMs(): number | undefined {
    for (let first = this.#due.first; first !== undefined; first = this.#due.first) {
      if (this.#dueOf.get(first) === this.#due.firstKey) return this.#due.firstKey;
      this.#due.pop();
    }
    return undefined;
  }

  /** Takes the places of tasks out of the due times, `limit` at most, that are due at `nowMs`; they stay parked. */
  takeDue(nowMs: number, limit: number): number[] {
    const due: number[] = [];
    for (let nextMs = this.nextDueMs; nextMs !== undefined && nextMs <= nowMs; nextMs = this.nextDueMs) {
      if (due.length >= limit) break;
      const seq = this.#due.pop();
      if (seq === undefined) continue;
      this.#dueOf.delete(seq);
      due.push(seq);
    }
    return due;
  }
}

function name(places: Map<number, number | readonly number[]>, idHash: number, seq: number): void {
  const others = places.get(idHash);
  places.set(idHash, others === undefined ? seq : [others, seq].flat());
}
