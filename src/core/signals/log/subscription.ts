import { compilePatterns, type Matcher } from "../pattern.ts";

/** How much a subscriber may have in hand unacknowledged before the log waits for it. */
export const CREDIT = { signals: 8_192, bytes: 4 * 1024 * 1024 } as const;

/** What survives hibernation, in the socket's attachment (16 KiB at most). */
export interface SubscriptionSnapshot {
  readonly patterns: readonly string[];
  /** Everything up to here has been sent, or did not concern the subscriber. */
  readonly sent: number;
  /** Last signal that actually went out. */
  readonly pushed: number;
  /** Everything up to here has been acknowledged. */
  readonly seen: number;
}

interface Flight {
  readonly last: number;
  readonly signals: number;
  readonly bytes: number;
}

/**
 * Flow control towards one subscriber. The runtime's sockets know no backpressure: `send` never blocks, and a
 * stopped reader would fill the object's memory. So the subscriber acknowledges, and beyond its credit it is served
 * from the log, later, instead of from memory.
 */
export class Subscription {
  readonly patterns: readonly string[];
  readonly matches: Matcher;
  #sent: number;
  #pushed: number;
  #seen: number;
  readonly #flights: Flight[] = [];
  #signals = 0;
  #bytes = 0;

  constructor(snapshot: SubscriptionSnapshot) {
    this.patterns = snapshot.patterns;
    this.matches = compilePatterns(snapshot.patterns);
    this.#sent = snapshot.sent;
    this.#pushed = snapshot.pushed;
    this.#seen = snapshot.seen;
    if (snapshot.pushed > snapshot.seen) {
      // After waking we know the span in flight, not what was in it: assume the worst that the credit allowed.
      const signals = Math.min(snapshot.pushed - snapshot.seen, CREDIT.signals);
      this.#launch({ last: snapshot.pushed, signals, bytes: 0 });
    }
  }

  get sent(): number {
    return this.#sent;
  }

  get seen(): number {
    return this.#seen;
  }

  /** Signals in flight, for the operator's eyes. */
  get inFlight(): number {
    return this.#signals;
  }

  get hasCredit(): boolean {
    return this.#signals < CREDIT.signals && this.#bytes < CREDIT.bytes;
  }

  /** A frame went out. @param through - the log has been looked through for this subscriber up to here */
  pushed(through: number, lastOfFrame: number, signals: number, bytes: number): void {
    this.#sent = Math.max(this.#sent, through);
    if (signals === 0) return;
    this.#pushed = lastOfFrame;
    this.#launch({ last: lastOfFrame, signals, bytes });
  }

  /** Nothing up to `through` concerned the subscriber. */
  skipped(through: number): void {
    this.#sent = Math.max(this.#sent, through);
  }

  /** The subscriber has handled everything up to `seq`. Late, repeated and absurd acknowledgements change nothing. */
  acknowledge(seq: number): void {
    if (seq <= this.#seen) return;
    this.#seen = Math.min(seq, this.#sent);
    let landed = 0;
    for (const flight of this.#flights) {
      if (flight.last > seq) break;
      landed++;
      this.#signals -= flight.signals;
      this.#bytes -= flight.bytes;
    }
    this.#flights.splice(0, landed);
  }

  snapshot(): SubscriptionSnapshot {
    return { patterns: this.patterns, sent: this.#sent, pushed: this.#pushed, seen: this.#seen };
  }

  #launch(flight: Flight): void {
    this.#flights.push(flight);
    this.#signals += flight.signals;
    this.#bytes += flight.bytes;
  }
}
