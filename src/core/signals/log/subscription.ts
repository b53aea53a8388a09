import { compilePatterns, type Matcher } from "../pattern.ts";

/** How much may be sent to a subscriber unacknowledged before the log waits for its acknowledgement. */
export const CREDIT = { signals: 8_192, bytes: 4 * 1024 * 1024 } as const;

/** The state of a subscription that survives hibernation, in the socket's attachment (16 KiB at most). */
export interface SubscriptionSnapshot {
  readonly patterns: readonly string[];
  /** Every signal up to here was sent, or did not match the patterns. */
  readonly sent: number;
  /** Last signal that was sent. */
  readonly pushed: number;
  /** Every signal up to here has been acknowledged. */
  readonly seen: number;
}

/** A frame that was sent and is not acknowledged. */
interface SentFrame {
  readonly last: number;
  readonly signals: number;
  readonly bytes: number;
}

/**
 * Flow control towards one subscriber. The runtime's sockets have no backpressure: `send` never blocks, and a reader that
 * stopped would fill the object's memory. So the subscriber acknowledges signals; a subscriber without credit is served
 * from the log later, instead of from memory.
 */
export class Subscription {
  readonly patterns: readonly string[];
  readonly matches: Matcher;
  #sent: number;
  #pushed: number;
  #seen: number;
  readonly #inFlight: SentFrame[] = [];
  #signals = 0;
  #bytes = 0;

  constructor(snapshot: SubscriptionSnapshot) {
    this.patterns = snapshot.patterns;
    this.matches = compilePatterns(snapshot.patterns);
    this.#sent = snapshot.sent;
    this.#pushed = snapshot.pushed;
    this.#seen = snapshot.seen;
    if (snapshot.pushed > snapshot.seen) {
      // The snapshot has the range in flight, not the number of signals in it: assume the most that the credit allowed.
      const signals = Math.min(snapshot.pushed - snapshot.seen, CREDIT.signals);
      this.#addInFlight({ last: snapshot.pushed, signals, bytes: 0 });
    }
  }

  get sent(): number {
    return this.#sent;
  }

  get seen(): number {
    return this.#seen;
  }

  /** Signals in flight, shown to operators. */
  get inFlight(): number {
    return this.#signals;
  }

  get hasCredit(): boolean {
    return this.#signals < CREDIT.signals && this.#bytes < CREDIT.bytes;
  }

  /** A frame was sent. @param through - the log has been searched for this subscriber up to here */
  pushed(through: number, lastOfFrame: number, signals: number, bytes: number): void {
    this.#sent = Math.max(this.#sent, through);
    if (signals === 0) return;
    this.#pushed = lastOfFrame;
    this.#addInFlight({ last: lastOfFrame, signals, bytes });
  }

  /** No signal up to `through` matched the patterns. */
  skipped(through: number): void {
    this.#sent = Math.max(this.#sent, through);
  }

  /** The subscriber has handled everything up to `seq`. Late, repeated and impossible acknowledgements change nothing. */
  acknowledge(seq: number): void {
    if (seq <= this.#seen) return;
    this.#seen = Math.min(seq, this.#sent);
    let acknowledged = 0;
    for (const frame of this.#inFlight) {
      if (frame.last > seq) break;
      acknowledged++;
      this.#signals -= frame.signals;
      this.#bytes -= frame.bytes;
    }
    this.#inFlight.splice(0, acknowledged);
  }

  snapshot(): SubscriptionSnapshot {
    return { patterns: this.patterns, sent: this.#sent, pushed: this.#pushed, seen: this.#seen };
  }

  #addInFlight(frame: SentFrame): void {
    this.#inFlight.push(frame);
    this.#signals += frame.signals;
    this.#bytes += frame.bytes;
  }
}
