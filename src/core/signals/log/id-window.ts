/**
 * Remembers ids of callers without a producer, so that a retry within the window is counted and not kept twice.
 *
 * Three generations, each half a window long: ids expire by dropping a map. The window is therefore at least
 * `windowMs` long and at most one and a half times that. At `capacity` ids the oldest generation is dropped early, which
 * shortens the window instead of filling the object's 128 MB; callers with such rates should number their signals.
 */
export class IdWindow {
  #young = new Map<string, number>();
  #old = new Map<string, number>();
  #middle = new Map<string, number>();
  #rotatedMs: number;
  readonly #windowMs: number;
  readonly #capacity: number;

  /**
   * @param windowMs - default ten minutes
   * @param capacity - ids kept at most, default 300,000 (about 40 MB)
   */
  constructor(nowMs: number, windowMs = 600_000, capacity = 300_000) {
    this.#rotatedMs = nowMs;
    this.#windowMs = windowMs;
    this.#capacity = capacity;
  }

  /** @returns the sequence number of the signal with this id, or `undefined` when the id is not in the window */
  find(id: string): number | undefined {
    return this.#young.get(id) ?? this.#middle.get(id) ?? this.#old.get(id);
  }

  /** Drops expired ids. To be called before {@link find}: a log that was idle for a day holds no ids. */
  advance(nowMs: number): void {
    // A clock that was set back would otherwise stop the rotation for as long as it was set back.
    if (nowMs < this.#rotatedMs) this.#rotatedMs = nowMs;
    const half = this.#windowMs / 2;
    const elapsed = Math.floor((nowMs - this.#rotatedMs) / half);
    const rotatedMs = this.#rotatedMs + elapsed * half;
    for (let rotation = 0; rotation < Math.min(3, elapsed); rotation++) this.#rotate(rotatedMs);
  }

  add(id: string, seq: number, nowMs: number): void {
    if (this.#young.size >= this.#capacity / 3) this.#rotate(nowMs);
    this.#young.set(id, seq);
  }

  get size(): number {
    return this.#young.size + this.#middle.size + this.#old.size;
  }

  #rotate(atMs: number): void {
    this.#old = this.#middle;
    this.#middle = this.#young;
    this.#young = new Map();
    this.#rotatedMs = atMs;
  }
}
