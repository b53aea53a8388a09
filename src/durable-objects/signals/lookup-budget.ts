/** Characters of zones, headers and bodies that one call may read to find an id: some tens of milliseconds. */
const CALL_CHARS = 8_000_000;
/** What the search through the headers of one zone counts for; it happens in the database. */
const SCAN_CHARS = 400_000;
/** Characters that all searches together may read in a second. */
const SECOND_CHARS = 64_000_000;

/** What one search may still read, by default everything. Nobody can hold the log for long by asking for ids. */
export class LookupBudget {
  readonly #spent: (chars: number) => void;
  #left: number;

  constructor(spent: (chars: number) => void = () => undefined, chars = Number.POSITIVE_INFINITY) {
    this.#spent = spent;
    this.#left = chars;
  }

  get exhausted(): boolean {
    return this.#left <= 0;
  }

  read(chars: number): void {
    this.#left -= chars;
    this.#spent(chars);
  }

  scan(): void {
    this.read(SCAN_CHARS);
  }
}

/** Shares what searches may read among all callers: appends and readers of the log go on in between. */
export class LookupShare {
  #left = SECOND_CHARS;
  #atMs = 0;

  /** Whether the searches of the last second have left something for another one. */
  isFree(nowMs: number): boolean {
    const passedMs = Math.min(1_000, Math.max(0, nowMs - this.#atMs));
    this.#left = Math.min(SECOND_CHARS, this.#left + (passedMs * SECOND_CHARS) / 1_000);
    this.#atMs = nowMs;
    return this.#left > 0;
  }

  newBudget(): LookupBudget {
    return new LookupBudget((chars) => {
      this.#left -= chars;
    }, CALL_CHARS);
  }
}
