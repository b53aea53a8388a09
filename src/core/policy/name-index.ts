import { compilePatterns, type Matcher } from "../signals/pattern.ts";

/** Number of names whose result is cached. */
const MAX_CACHED = 1_024;

interface Entry<Item> {
  readonly item: Item;
  readonly order: number;
}

/**
 * Finds the items whose patterns match the name of a signal, at a cost that depends on the number of matches and not on
 * the number of items. Exact names are looked up; patterns are tried once for each new name.
 */
export class NameIndex<Item> {
  readonly #exact = new Map<string, Entry<Item>[]>();
  readonly #patterns: (Entry<Item> & { readonly matches: Matcher })[] = [];
  readonly #cache = new Map<string, readonly Item[]>();
  #size = 0;

  /** Items are found in the order in which they were added. */
  add(patterns: readonly string[], item: Item): void {
    const entry = { item, order: this.#size++ };
    this.#cache.clear();
    if (patterns.some((pattern) => pattern.includes("*") || pattern.startsWith("!"))) {
      this.#patterns.push({ ...entry, matches: compilePatterns(patterns) });
      return;
    }
    for (const name of new Set(patterns)) {
      const entries = this.#exact.get(name);
      if (entries === undefined) this.#exact.set(name, [entry]);
      else entries.push(entry);
    }
  }

  find(name: string): readonly Item[] {
    const known = this.#cache.get(name);
    if (known !== undefined) return known;
    const found = [...(this.#exact.get(name) ?? []), ...this.#patterns.filter(({ matches }) => matches(name))];
    const items = found.sort((a, b) => a.order - b.order).map(({ item }) => item);
    // Names come from callers: without a bound, a stream of new names would fill the memory.
    if (this.#cache.size >= MAX_CACHED) this.#cache.clear();
    this.#cache.set(name, items);
    return items;
  }
}
