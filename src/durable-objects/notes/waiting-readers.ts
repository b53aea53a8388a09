/** Readers that may wait at a time, in one ecosystem. Another one gets the note as it is. */
const MAX_WAITING = 1_000;

/** Readers that wait for the next change of a note. They are in memory alone: who loses the object asks again. */
export class WaitingReaders {
  readonly #byKey = new Map<string, Set<() => void>>();
  #waiting = 0;

  /** Resolves with the next change of the note, or after `waitMs`. */
  wait(key: string, waitMs: number): Promise<void> {
    if (waitMs <= 0 || this.#waiting >= MAX_WAITING) return Promise.resolve();
    const { promise, resolve } = Promise.withResolvers<void>();
    const readers = this.#byKey.get(key) ?? new Set();
    const end = () => {
      clearTimeout(timer);
      this.#waiting -= 1;
      readers.delete(end);
      if (readers.size === 0 && this.#byKey.get(key) === readers) this.#byKey.delete(key);
      resolve();
    };
    const timer = setTimeout(end, waitMs);
    readers.add(end);
    this.#byKey.set(key, readers);
    this.#waiting += 1;
    return promise;
  }

  /** The note has changed, and the change is written. */
  changed(key: string): void {
    for (const end of [...(this.#byKey.get(key) ?? [])]) end();
  }
}
