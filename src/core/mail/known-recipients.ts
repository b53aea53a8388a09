/** Names that a mailbox remembers; of too many the oldest are forgotten. */
const MAX_NAMES = 1_000;

/** Recipients who have ever waited for mail, whether or not any came: they may be written to. */
export class KnownRecipients {
  readonly #names: Set<string>;

  /** @param names - oldest first */
  constructor(names: Iterable<string> = []) {
    this.#names = new Set(names);
  }

  has(name: string): boolean {
    return this.#names.has(name);
  }

  /** @returns whether the name is new, and has to be stored */
  add(name: string): boolean {
    if (this.#names.has(name)) return false;
    this.#names.add(name);
    for (const oldest of this.#names) {
      if (this.#names.size <= MAX_NAMES) break;
      this.#names.delete(oldest);
    }
    return true;
  }

  /** Oldest first. */
  get all(): readonly string[] {
    return [...this.#names];
  }
}
