import { ERASED_NAME } from "../signals/log/erased.ts";

/**
 * Finds the name of an erased source in texts and in JSON, as a whole word: the name of one source may begin, or end, that of
 * another (`anna` and `anna-2`), whose data stay. An upper-case letter is another letter.
 */
export class Mentions {
  readonly name: string;
  readonly #word: RegExp;
  readonly #beginning: RegExp;
  /** As the name stands in a text of JSON, which differs where it holds quotes. */
  readonly #quoted: string;

  constructor(name: string) {
    this.name = name;
    this.#quoted = JSON.stringify(name).slice(1, -1);
    const spellings = [...new Set([name, this.#quoted, JSON.stringify(this.#quoted).slice(1, -1)])];
    const pattern = spellings.map((text) => text.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&")).join("|");
    this.#beginning = new RegExp(`(?<![\\p{L}\\p{N}_-])(?:${pattern})[-._:@~][\\p{L}\\p{N}]`, "u");
    this.#word = new RegExp(`(?<![\\p{L}\\p{N}_-])(?:${pattern})(?![\\p{L}\\p{N}_-])`, "gu");
  }

  /** Whether the name may be anywhere in the text, as a word or a part of one: quick, for texts of any length. */
  mayBeIn(text: string): boolean {
    return text.includes(this.name) || text.includes(this.#quoted);
  }

  isIn(text: string): boolean {
    return this.mayBeIn(text) && this.replace(text) !== text;
  }

  /** Whether an id in the text begins with the name: many sources call their signals and tasks so. */
  beginsId(text: string): boolean {
    return this.mayBeIn(text) && this.#beginning.test(text);
  }

  replace(text: string): string {
    return text.replaceAll(this.#word, ERASED_NAME);
  }

  /**
   * A value of JSON without the name. What an object keeps under the name goes with it; a longer key keeps its place.
   *
   * @returns the value itself where nothing of it changes
   */
  without(value: unknown): unknown {
    if (typeof value === "string") return this.isIn(value) ? this.replace(value) : value;
    if (Array.isArray(value)) {
      const items: readonly unknown[] = value;
      const left = items.map((item) => this.without(item));
      return left.every((item, place) => item === items[place]) ? value : left;
    }
    return typeof value === "object" && value !== null ? this.withoutFields({ ...value }, value) : value;
  }

  /** {@link without} for an object. @param same - returned where nothing changes */
  withoutFields<Same>(fields: Readonly<Record<string, unknown>>, same: Same): Record<string, unknown> | Same;
  withoutFields(fields: Readonly<Record<string, unknown>>): Record<string, unknown>;
  withoutFields(fields: Readonly<Record<string, unknown>>, same: unknown = fields): unknown {
    let changed = false;
    const left: Record<string, unknown> = {};
    for (const [key, inner] of Object.entries(fields)) {
      if (key === this.name) {
        changed = true;
        continue;
      }
      const [newKey, newInner] = [this.isIn(key) ? this.replace(key) : key, this.without(inner)];
      changed ||= newKey !== key || newInner !== inner;
      left[newKey] = newInner;
    }
    return changed ? left : same;
  }

  /** {@link without} for a stored text, which is JSON, lines of JSON, or neither. */
  withoutText(text: string): string {
    if (!this.mayBeIn(text)) return text;
    if (!/^[{["]/.test(text)) return this.replace(text);
    if (text.includes("\n"))
      return text
        .split("\n")
        .map((line) => this.withoutText(line))
        .join("\n");
    const value = parsed(text);
    if (value === undefined) return this.replace(text);
    const left = this.without(value);
    return left === value ? text : JSON.stringify(left);
  }
}

function parsed(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text);
    return value;
  } catch {
    return undefined;
  }
}
