import type { Entry } from "./entry.ts";

/** Which tasks each connection or call holds. */
export class Holders {
  readonly #held = new Map<string, Set<Entry>>();

  hold(holder: string, entry: Entry): void {
    const held = this.#held.get(holder);
    if (held === undefined) this.#held.set(holder, new Set([entry]));
    else held.add(entry);
  }

  letGo(holder: string, entry: Entry): void {
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
