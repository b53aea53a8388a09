export interface BreakerOptions {
  /** Failures in a row after which nobody is asked any more; default 5. */
  readonly threshold?: number;
  /** Milliseconds until one is asked again; default 10,000. */
  readonly pauseMs?: number;
  readonly now: () => number;
}

/**
 * A circuit breaker for one client: closed; open after failures in a row; then one probe at a time, whose success closes
 * it. The state is a few numbers, so that a caller is told at once.
 */
export class Breaker {
  readonly #threshold: number;
  readonly #pauseMs: number;
  readonly #now: () => number;
  #failures = 0;
  #openUntilMs: number | undefined;

  constructor({ threshold = 5, pauseMs = 10_000, now }: BreakerOptions) {
    this.#threshold = threshold;
    this.#pauseMs = pauseMs;
    this.#now = now;
  }

  /** Whether a request may be sent now. While the breaker is open, one caller after each pause gets `true`: the probe. */
  admits(): boolean {
    if (this.#openUntilMs === undefined) return true;
    if (this.#now() < this.#openUntilMs) return false;
    // Until the probe has ended, others wait for another pause.
    this.#openUntilMs = this.#now() + this.#pauseMs;
    return true;
  }

  get state(): "closed" | "open" {
    return this.#openUntilMs === undefined ? "closed" : "open";
  }

  succeeded(): void {
    this.#failures = 0;
    this.#openUntilMs = undefined;
  }

  failed(): void {
    this.#failures += 1;
    if (this.#failures >= this.#threshold) this.#openUntilMs = this.#now() + this.#pauseMs;
  }
}
