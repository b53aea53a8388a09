import { erasedKey, isErasedKey } from "./erased.ts";
import { oldIdKey } from "./id-owner.ts";

/** Characters of a key in the mean, by which the memory of long ones is bounded, too. */
const CHARS = 80;
/** Of an id, beside the characters of its key. */
const ID_BYTES = 40;

/** Looks up an id of before the window was opened. @returns the sequence number of its signal */
export type StoredIds = (key: string, id: string) => number | undefined;

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
  readonly #stored: StoredIds;
  readonly #windowMs: number;
  readonly #capacity: number;
  /** Characters of the keys of the young generation, and of the others. */
  #chars = 0;
  #middleChars = 0;
  #oldChars = 0;
  /** Ids of segments that an earlier version wrote are among them. */
  #holdsOldKeys = false;
  #holdsErasedKeys = false;

  /**
   * @param stored - looks up ids of the last ten minutes that were not given to {@link addStored} yet
   * @param windowMs - default ten minutes
   * @param capacity - ids kept at most, default 300,000 (about 40 MB); long ones count for several
   */
  constructor(nowMs: number, stored: StoredIds = () => undefined, windowMs = 600_000, capacity = 300_000) {
    this.#rotatedMs = nowMs;
    this.#stored = stored;
    this.#windowMs = windowMs;
    this.#capacity = capacity;
  }

  /**
   * @param key - see {@link idKey}
   * @returns the sequence number of the signal with this key, or `undefined` when the key is not in the window
   */
  find(key: string): number | undefined {
    return this.#young.get(key) ?? this.#middle.get(key) ?? this.#old.get(key);
  }

  /**
   * {@link find}, also among ids that an earlier version kept without owner and source, or of which a digest is left, and
   * among those that are stored and not here yet.
   */
  known(key: string, id: string): number | undefined {
    const known = this.find(key) ?? (this.#holdsOldKeys ? this.find(oldIdKey(id)) : undefined);
    if (known !== undefined) return known;
    const erased = this.#holdsErasedKeys
      ? (this.find(erasedKey(key)) ?? this.find(erasedKey(oldIdKey(id))))
      : undefined;
    return erased ?? this.#stored(key, id);
  }

  /**
   * An id of before the window was opened, newest first. It goes into the middle generation, which lives for a whole window
   * from when this one was opened: longer than any of these ids has to.
   *
   * @returns whether there is room for more
   */
  addStored(key: string, seq: number): boolean {
    if (this.size >= this.#capacity || this.#middleChars >= this.#capacity * CHARS) return false;
    if (this.find(key) === undefined) {
      this.#middle.set(key, seq);
      this.#middleChars += key.length;
      this.#noteKind(key);
    }
    return true;
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

  add(key: string, seq: number, nowMs: number): void {
    const third = this.#capacity / 3;
    if (this.#young.size >= third || this.#chars >= third * CHARS) this.#rotate(nowMs);
    this.#young.set(key, seq);
    this.#chars += key.length;
    this.#noteKind(key);
  }

  #noteKind(key: string): void {
    if (key.startsWith(" ") && key.indexOf(" ", 1) < 0) this.#holdsOldKeys = true;
    else if (isErasedKey(key)) this.#holdsErasedKeys = true;
  }

  get size(): number {
    return this.#young.size + this.#middle.size + this.#old.size;
  }

  /** What the ids take in memory, about. */
  get bytes(): number {
    return ID_BYTES * this.size + this.#chars + this.#middleChars + this.#oldChars;
  }

  #rotate(atMs: number): void {
    this.#oldChars = this.#middleChars;
    this.#middleChars = this.#chars;
    this.#old = this.#middle;
    this.#middle = this.#young;
    this.#young = new Map();
    this.#chars = 0;
    this.#rotatedMs = atMs;
  }
}
