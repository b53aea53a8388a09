import { CircuitState, ConsecutiveBreaker, circuitBreaker, handleAll } from "cockatiel";

export interface BreakerOptions {
  /** Failures in a row that open the breaker. */
  readonly failures: number;
  /** How long the breaker stays open, in milliseconds. */
  readonly openMs: number;
  /** Called when the breaker opens, closes, or becomes half-open. */
  readonly onChange: () => void;
}

/** Circuit breaker: stops a worker from running a whole backlog with a command that always fails. */
export class Breaker {
  #policy;
  #options: BreakerOptions;
  #openUntilMs = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: BreakerOptions) {
    this.#options = options;
    this.#policy = this.#close();
  }

  /** Continues with other limits, closed: the person who changed the settings may have repaired the command. */
  configure(limits: Pick<BreakerOptions, "failures" | "openMs">): void {
    clearTimeout(this.#timer);
    this.#options = { ...this.#options, ...limits };
    this.#policy = this.#close();
  }

  #close() {
    const { openMs, failures } = this.#options;
    const policy = circuitBreaker(handleAll, { halfOpenAfter: openMs, breaker: new ConsecutiveBreaker(failures) });
    policy.onBreak(() => this.#opened());
    policy.onReset(() => this.#options.onChange());
    return policy;
  }

  /** `half_open`: one attempt is allowed, and its outcome decides. */
  get state(): "closed" | "open" | "half_open" {
    if (this.#policy.state === CircuitState.Closed) return "closed";
    return Date.now() < this.#openUntilMs ? "open" : "half_open";
  }

  /** Records how an attempt ended. Do not call while the breaker is open. */
  async record(failure: string | undefined): Promise<void> {
    await this.#policy
      .execute(() => {
        if (failure !== undefined) throw new Error(failure);
      })
      // The caller reports the failure; here it only counts.
      .catch(() => undefined);
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  #opened(): void {
    // A little longer than the policy's own time: an attempt that came too early would be refused.
    const pauseMs = this.#options.openMs + 20;
    this.#openUntilMs = Date.now() + pauseMs;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#options.onChange(), pauseMs);
    this.#options.onChange();
  }
}
