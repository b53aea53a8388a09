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
  #chars = 0;

  get chars(): number {
    return this.#chars;
  }

  /** Notes the payload of a task, for which the oldest payloads are evicted. */
  add(entry: Entry): void {
    this.#cached.add(entry);
    this.#chars += entry.payloadJson?.length ?? 0;
    for (const oldest of this.#cached) {
      if (this.#chars <= CACHE_CHARS) break;
      this.delete(oldest);
      oldest.payloadJson = undefined;
    }
  }

  delete(entry: Entry): void {
    if (this.#cached.delete(entry)) this.#chars -= entry.payloadJson?.length ?? 0;
  }
}
