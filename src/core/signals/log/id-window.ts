/**
 * Remembers ids of callers without a producer, so that a retry within the window is counted and not kept twice.
 *
 * Three generations, each half a window long: forgetting is dropping a map. The window is therefore at least
 * `windowMs` long and at most one and a half times that. At `capacity` ids the older generation goes early, which
 * shortens the window instead of filling the object's 128 MB; callers with such rates are meant to number their
 * signals.
 */
export class IdWindow {
  #young = new Map<string, number>();
  #old = new Map<string, number>();
  #middle = new Map<string, number>();
  #turnedMs: number;
  readonly #windowMs: number;
  readonly #capacity: number;

  /**
   * @param windowMs - default ten minutes
   * @param capacity - ids kept at most, default 300,000 (about 40 MB)
   */
  constructor(nowMs: number, windowMs = 600_000, capacity = 300_000) {
    this.#turnedMs = nowMs;
    this.#windowMs = windowMs;
    this.#capacity = capacity;
  }

  /** @returns the place of the signal with this id, or `undefined` when it is not known to be a duplicate */
  find(id: string): number | undefined {
    return this.#young.get(id) ?? this.#middle.get(id) ?? this.#old.get(id);
  }

  /** Lets old ids go. Call it before {@link find}: a log that was quiet for a day remembers nothing. */
  advance(nowMs: number): void {
    // A clock that was set back would otherwise stop the turning for as long as it was set back.
    if (nowMs < this.#turnedMs) this.#turnedMs = nowMs;
    const half = this.#windowMs / 2;
    const turns = Math.min(3, Math.floor((nowMs - this.#turnedMs) / half));
    const turnedMs = this.#turnedMs + Math.floor((nowMs - this.#turnedMs) / half) * half;
    for (let turn = 0; turn < turns; turn++) this.#turn(turnedMs);
  }

  add(id: string, seq: number, nowMs: number): void {
    if (this.#young.size >= this.#capacity / 3) this.#turn(nowMs);
    this.#young.set(id, seq);
  }

  get size(): number {
    return this.#young.size + this.#middle.size + this.#old.size;
  }

  #turn(atMs: number): void {
    this.#old = this.#middle;
    this.#middle = this.#young;
    this.#young = new Map();
    this.#turnedMs = atMs;
  }
}
