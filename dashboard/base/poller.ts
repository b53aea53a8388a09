/** What a view knows of something that it asks for again and again. */
export interface Polled<Value> {
  /** The last answer. It stays while later ones fail. */
  readonly value: Value | undefined;
  /** Why the last call failed; `undefined`: it did not. */
  readonly error: unknown;
}

/** What a poller needs of its surroundings, so that a test needs no browser. */
export interface PollerHost {
  readonly hidden: () => boolean;
  readonly setTimer: (run: () => void, ms: number) => unknown;
  readonly clearTimer: (timer: unknown) => void;
}

/** Longest wait between two calls that fail, in milliseconds. */
const MAX_WAIT_MS = 15_000;

/**
 * Asks for a value again and again, one call at a time. A hidden page asks for nothing; when the page is seen again, or the
 * network is back, `wake` asks at once. Calls that fail are made less and less often.
 */
export class Poller<Value> {
  readonly #load: (signal: AbortSignal) => Promise<Value>;
  readonly #show: (polled: Polled<Value>) => void;
  readonly #everyMs: number;
  readonly #host: PollerHost;
  #value: Value | undefined;
  #failures = 0;
  #timer: unknown;
  #call: AbortController | undefined;
  #stopped = false;

  constructor(
    load: (signal: AbortSignal) => Promise<Value>,
    everyMs: number,
    show: (polled: Polled<Value>) => void,
    host: PollerHost,
  ) {
    this.#load = load;
    this.#everyMs = everyMs;
    this.#show = show;
    this.#host = host;
  }

  /** Asks now, unless a call is under way or nobody looks. */
  wake(): void {
    if (this.#stopped || this.#call !== undefined || this.#host.hidden()) return;
    this.#host.clearTimer(this.#timer);
    const call = new AbortController();
    this.#call = call;
    this.#load(call.signal).then(
      (value) => this.#ended(call, { value, error: undefined }),
      (error: unknown) => this.#ended(call, { value: this.#value, error }),
    );
  }

  /** Asks at once for what a change has made: the call under way may hold the state from before. */
  reload(): void {
    this.pause();
    this.wake();
  }

  /** Ends the call under way and asks no more until `wake`. */
  pause(): void {
    this.#host.clearTimer(this.#timer);
    this.#call?.abort();
    this.#call = undefined;
  }

  stop(): void {
    this.#stopped = true;
    this.pause();
  }

  #ended(call: AbortController, polled: Polled<Value>): void {
    if (call !== this.#call) return;
    this.#call = undefined;
    this.#value = polled.value;
    this.#failures = polled.error === undefined ? 0 : this.#failures + 1;
    this.#show(polled);
    if (!Number.isFinite(this.#everyMs)) return;
    const wait = Math.min(Math.max(MAX_WAIT_MS, this.#everyMs), this.#everyMs * 2 ** this.#failures);
    this.#timer = this.#host.setTimer(() => this.wake(), wait);
  }
}
