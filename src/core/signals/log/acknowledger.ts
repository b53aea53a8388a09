import { CREDIT } from "./subscription.ts";

export interface AcknowledgerOptions {
  /** Acknowledges every signal up to `seq`. */
  readonly send: (seq: number) => void;
  /** Calls `run` after so many milliseconds. @returns a function that prevents the call */
  readonly later: (ms: number, run: () => void) => () => void;
}

/** Longest time for which a handled delivery stays unacknowledged. */
export const ACKNOWLEDGE_MS = 1_000;
/** A subscriber that acknowledges each quarter of its credit never waits for more where the network takes less than the rest. */
const ENOUGH = { signals: CREDIT.signals / 4, bytes: CREDIT.bytes / 4 } as const;

/**
 * The acknowledgements of a subscriber over one connection. Each acknowledgement costs the edge an incoming message, so one
 * stands for many deliveries: it is sent a second after the first of them, with each quarter of the credit, and at once
 * where the edge requests it because it has more to send and no room.
 *
 * A crash before an acknowledgement loses nothing: the next connection subscribes from the place that the subscriber stored.
 */
export class Acknowledger {
  readonly #options: AcknowledgerOptions;
  #handled = -1;
  #pending: number | undefined;
  #signals = 0;
  #bytes = 0;
  #cancel: (() => void) | undefined;
  /** The edge waits for the acknowledgement of this signal. */
  #requested: number | undefined;

  constructor(options: AcknowledgerOptions) {
    this.#options = options;
  }

  /** A delivery that reaches up to `seq` has been handled. */
  handled(seq: number, signals: number, bytes: number): void {
    this.#handled = seq;
    this.#pending = seq;
    this.#signals += signals;
    this.#bytes += bytes;
    const enough = this.#signals >= ENOUGH.signals || this.#bytes >= ENOUGH.bytes;
    if (enough || this.#requested !== undefined) this.flush();
    else this.#cancel ??= this.#options.later(ACKNOWLEDGE_MS, () => this.flush());
    if (this.#requested !== undefined && seq >= this.#requested) this.#requested = undefined;
  }

  /**
   * The edge has more and no room. Until the delivery that reaches `last` has been handled, each is acknowledged at once.
   */
  request(last: number): void {
    if (this.#handled < last) this.#requested = last;
    this.flush();
  }

  /** Sends what is pending, before the connection closes or its subscription changes. */
  flush(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    const seq = this.#pending;
    this.#pending = undefined;
    this.#signals = 0;
    this.#bytes = 0;
    if (seq !== undefined) this.#options.send(seq);
  }

  /** The connection is gone. */
  end(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    this.#pending = undefined;
  }
}
