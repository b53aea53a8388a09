export interface TokenBucketOptions {
  /** Most tokens: how many may be taken one after the other. */
  readonly capacity: number;
  readonly perSecond: number;
}

/** What may be done at once for a while, and for good only at a rate. */
export class TokenBucket {
  readonly #options: TokenBucketOptions;
  #tokens: number;
  #atMs = 0;

  constructor(options: TokenBucketOptions) {
    this.#options = options;
    this.#tokens = options.capacity;
  }

  /** Milliseconds until there is a token; 0: there is one. */
  waitMs(nowMs: number): number {
    this.#refill(nowMs);
    return this.#tokens >= 1 ? 0 : ((1 - this.#tokens) / this.#options.perSecond) * 1_000;
  }

  /** Takes a token, where there is one: what must be done now is done without. */
  take(nowMs: number): void {
    this.#refill(nowMs);
    this.#tokens = Math.max(0, this.#tokens - 1);
  }

  #refill(nowMs: number): void {
    const gained = (Math.max(0, nowMs - this.#atMs) / 1_000) * this.#options.perSecond;
    this.#tokens = Math.min(this.#options.capacity, this.#tokens + gained);
    this.#atMs = nowMs;
  }
}
