import { CircuitState, ConsecutiveBreaker, circuitBreaker, handleAll } from "cockatiel";

export interface BreakerOptions {
  /** Failures in a row that open it. */
  readonly failures: number;
  /** How long nothing is tried then, in milliseconds. */
  readonly openMs: number;
  /** Called when it opens or closes, and when it is time to try again. */
  readonly onChange: () => void;
}

/** Keeps a worker from going through a whole backlog with a command that fails each time (R50). */
export class Breaker {
  #policy;
  #options: BreakerOptions;
  #openUntilMs = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: BreakerOptions) {
    this.#options = options;
    this.#policy = this.#close();
  }

  /** Goes on with other limits, closed: who changes the settings may have mended what failed. */
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

  /** Tells of an attempt's end. Not to be called while it is open. */
  async record(failure: string | undefined): Promise<void> {
    await this.#policy
      .execute(() => {
        if (failure !== undefined) throw new Error(failure);
      })
      // The failure is told where it belongs; here it only counts.
      .catch(() => undefined);
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  #opened(): void {
    // A little later than the policy's own clock, which would refuse an attempt that came too early.
    const pauseMs = this.#options.openMs + 20;
    this.#openUntilMs = Date.now() + pauseMs;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#options.onChange(), pauseMs);
    this.#options.onChange();
  }
}
