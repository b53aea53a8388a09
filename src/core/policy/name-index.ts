import { compilePatterns, type Matcher } from "../signals/pattern.ts";

/** Names for which the answer is remembered. */
const REMEMBERED = 1_024;

interface Entry<Item> {
  readonly item: Item;
  readonly order: number;
}

/**
 * Finds what is waiting for a signal by its name, at a cost that depends on how many match and not on how many there
 * are. Exact names are looked up, patterns are tried once for each new name.
 */
export class NameIndex<Item> {
  readonly #exact = new Map<string, Entry<Item>[]>();
  readonly #patterns: (Entry<Item> & { readonly matches: Matcher })[] = [];
  readonly #answers = new Map<string, readonly Item[]>();
  #size = 0;

  /** What is added first comes first in the answers. */
  add(patterns: readonly string[], item: Item): void {
    const entry = { item, order: this.#size++ };
    this.#answers.clear();
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
    const known = this.#answers.get(name);
    if (known !== undefined) return known;
    const found = [...(this.#exact.get(name) ?? []), ...this.#patterns.filter(({ matches }) => matches(name))];
    const items = found.sort((a, b) => a.order - b.order).map(({ item }) => item);
    // Names come from callers: without a bound, inventing names would fill the memory.
    if (this.#answers.size >= REMEMBERED) this.#answers.clear();
    this.#answers.set(name, items);
    return items;
  }
}
