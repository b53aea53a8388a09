import { isJsonObject } from "../json/is-json-object.ts";
import { ERASED_NAME } from "../signals/log/erased.ts";
import { OWN_WORDS } from "./own-words.ts";

/**
 * Finds the name of an erased source in texts and in JSON, as a whole word: the name of one source may begin, or end, that of
 * another (`anna` and `anna-2`), whose data stay. An upper-case letter is another letter. A name of one or two characters
 * may be any word, and the key of any fact: it counts where it is a whole text alone.
 */
export class Mentions {
  readonly name: string;
  readonly #short: boolean;
  readonly #keys: boolean;
  readonly #whole: boolean;
  readonly #word: RegExp;
  readonly #beginning: RegExp;
  /** As the name stands in a text of JSON, which differs where it holds quotes. */
  readonly #quoted: string;

  /**
   * @param within - `facts`, which mean what their senders say; `rows`, which the edge reads: their fields are words of small
   * letters, and some of their values are words of the edge's own
   */
  constructor(name: string, within: "facts" | "rows" = "facts") {
    this.name = name;
    this.#short = name.length < 3;
    this.#keys = !this.#short && (within === "facts" || !/^[a-z]+([A-Z_][A-Za-z_]*)?$/.test(name));
    this.#whole = within === "facts" || !OWN_WORDS.has(name);
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

  /** Whether the name is a word of the text, however short it is. */
  isWordOf(text: string): boolean {
    return this.mayBeIn(text) && text.search(this.#word) >= 0;
  }

  /** Whether an id in the text begins with the name: many sources call their signals and tasks so. */
  beginsId(text: string): boolean {
    return this.mayBeIn(text) && this.#beginning.test(text);
  }

  replace(text: string): string {
    if (text === this.name) return this.#whole ? ERASED_NAME : text;
    if (this.#short) return text;
    return text.replaceAll(this.#word, ERASED_NAME);
  }

  /**
   * A value of JSON without the name: neither in texts nor in keys.
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
    return isJsonObject(value) ? this.withoutFields(value) : value;
  }

  /** {@link without} for an object. */
  withoutFields(fields: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
    let changed = false;
    const left: Record<string, unknown> = {};
    for (const [key, inner] of Object.entries(fields)) {
      const [newKey, newInner] = [this.#keys ? this.replace(key) : key, this.without(inner)];
      changed ||= newKey !== key || newInner !== inner;
      left[newKey] = newInner;
    }
    return changed ? left : fields;
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
