import type { Entry } from "../../core/queue/entry.ts";

/**
 * Payloads cached in memory, in characters. The oldest are evicted first: a task that has waited for long waits behind a
 * backlog, and most others are leased soon after they came.
 */
const CACHE_CHARS = 8_000_000;

/** The stored tasks whose payloads are in memory, too. */
export class PayloadCache {
  /** Oldest first. */
  readonly #cached = new Set<Entry>();
  /**
   * Goes from the oldest on, and what it passes is evicted: everything cached lies ahead. A new one for each eviction would
   * walk over all places of those that were evicted before.
   */
  #oldest = this.#cached.values();
  #chars = 0;

  get chars(): number {
    return this.#chars;
  }

  /** Notes the payload of a task, for which the oldest payloads are evicted. */
  add(entry: Entry): void {
    this.#cached.add(entry);
    this.#chars += entry.payloadJson?.length ?? 0;
    while (this.#chars > CACHE_CHARS) {
      const { value, done } = this.#oldest.next();
      // It is over for good once it has met the end.
      if (done) this.#oldest = this.#cached.values();
      else {
        this.delete(value);
        value.payloadJson = undefined;
      }
    }
  }

  delete(entry: Entry): void {
    if (this.#cached.delete(entry)) this.#chars -= entry.payloadJson?.length ?? 0;
  }
}
