/** A map of bounded size whose entries end after a fixed time. Where it is full, the oldest entry makes room. */
export class ExpiringMap<Value> {
  readonly #maxEntries: number;
  readonly #keepMs: number;
  /** In the order in which they were set, and so in which they end: the first entry is the oldest. */
  readonly #entries = new Map<string, { readonly value: Value; readonly untilMs: number }>();

  constructor(maxEntries: number, keepMs: number) {
    this.#maxEntries = maxEntries;
    this.#keepMs = keepMs;
  }

  get size(): number {
    return this.#entries.size;
  }

  get(key: string, nowMs: number): Value | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    if (entry.untilMs > nowMs) return entry.value;
    this.#entries.delete(key);
    return undefined;
  }

  has(key: string, nowMs: number): boolean {
    return this.get(key, nowMs) !== undefined;
  }

  set(key: string, value: Value, nowMs: number): void {
    this.#entries.delete(key);
    for (const [oldest, { untilMs }] of this.#entries) {
      if (this.#entries.size < this.#maxEntries && untilMs > nowMs) break;
      this.#entries.delete(oldest);
    }
    this.#entries.set(key, { value, untilMs: nowMs + this.#keepMs });
  }

  delete(key: string): void {
    this.#entries.delete(key);
  }

  /** Takes out every entry whose value is meant. */
  deleteWhere(meant: (value: Value) => boolean): void {
    for (const [key, { value }] of this.#entries) if (meant(value)) this.#entries.delete(key);
  }
}
