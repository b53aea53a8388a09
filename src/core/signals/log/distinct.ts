import { hashKey, type KeyRole, keyFilter, mayHoldKey } from "./key-filter.ts";

/** Texts that are listed one by one. */
const MAX_LISTED = 512;
/** Hashes of more of them, eight bytes each in memory. Beyond it nothing is said: the part may hold any text. */
const MAX_HASHED = 131_072;

/**
 * The distinct texts of a growing part of the log. A list while they are few; a filter over their hashes where they are
 * many, so that what is stored stays bounded however many texts callers invent.
 */
export class Distinct {
  readonly #role: KeyRole;
  #listed: Set<string> | undefined = new Set();
  #hashes: Set<number> | undefined;

  constructor(role: KeyRole) {
    this.#role = role;
  }

  add(text: string): void {
    if (this.#listed === undefined) {
      if (this.#hashes !== undefined) this.addHash(hashKey(this.#role, text));
      return;
    }
    this.#listed.add(text);
    if (this.#listed.size > MAX_LISTED) this.#hash();
  }

  addHash(hash: number): void {
    this.#hash();
    this.#hashes?.add(hash);
    if ((this.#hashes?.size ?? 0) > MAX_HASHED) this.#hashes = undefined;
  }

  /** `undefined`: there are too many to list. */
  get listed(): ReadonlySet<string> | undefined {
    return this.#listed;
  }

  /** What a part stores of its texts: the list, or a filter, or, where there are too many for that, `null`. */
  close(): { readonly list: readonly string[]; readonly filter?: string | null } {
    if (this.#listed !== undefined) return { list: [...this.#listed] };
    return { list: [], filter: this.#hashes === undefined ? null : keyFilter([...this.#hashes]) };
  }

  #hash(): void {
    if (this.#listed === undefined) return;
    this.#hashes = new Set([...this.#listed].map((text) => hashKey(this.#role, text)));
    this.#listed = undefined;
  }
}

/** Whether a part with this filter may hold the text. @param filter - as {@link Distinct.close} gave it */
export function mayHoldText(filter: string | null, role: KeyRole, text: string): boolean {
  return filter === null || mayHoldKey(filter, hashKey(role, text));
}
