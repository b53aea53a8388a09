import type { Entry } from "./entry.ts";

/** Which tasks each lease holder (a connection or a request) holds. */
export class Holders {
  readonly #held = new Map<string, Set<Entry>>();

  add(holder: string, entry: Entry): void {
    const held = this.#held.get(holder);
    if (held === undefined) this.#held.set(holder, new Set([entry]));
    else held.add(entry);
  }

  remove(holder: string, entry: Entry): void {
    const held = this.#held.get(holder);
    held?.delete(entry);
    if (held?.size === 0) this.#held.delete(holder);
  }

  count(holder: string): number {
    return this.#held.get(holder)?.size ?? 0;
  }

  of(holder: string): readonly Entry[] {
    return [...(this.#held.get(holder) ?? [])];
  }
}
