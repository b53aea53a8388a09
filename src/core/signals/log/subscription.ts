import { compilePatterns, type Matcher } from "../pattern.ts";
import { IN_FLIGHT } from "./in-flight.ts";

/** How much may be sent to a subscriber unacknowledged before the log waits for its acknowledgement. */
export const CREDIT = { signals: 8_192, bytes: IN_FLIGHT.socketBytes } as const;

/**
 * How often a subscriber may subscribe anew without acknowledging anything of what is on its way. Without any credit each
 * time buys it one signal more, by whose acknowledgement the credit returns.
 */
export const MAX_UNREAD_SUBSCRIPTIONS = 16;

/** A frame that was sent and is not acknowledged. */
interface SentFrame {
  readonly last: number;
  readonly signals: number;
  readonly bytes: number;
}

/**
 * The state of a subscription that survives hibernation, in the socket's attachment (16 KiB at most). Older versions did
 * not write the optional fields.
 */
export interface SubscriptionSnapshot {
  readonly patterns: readonly string[];
  /** Every signal up to here was sent, or did not match the patterns. */
  readonly sent: number;
  /** Last signal that was sent. */
  readonly pushed: number;
  /** Every signal up to here has been acknowledged. */
  readonly seen: number;
  /** What is in flight for this subscription. */
  readonly signals?: number;
  readonly bytes?: number;
  /** What is in flight for earlier subscriptions of the socket. */
  readonly carried?: SentFrame;
  /** The furthest place that was ever sent over the socket. */
  readonly top?: number;
  /** Subscriptions in a row of which nothing was acknowledged. */
  readonly unread?: number;
  /** By which the subscriber recognises it. */
  readonly number?: number;
}

const NOTHING: SentFrame = { last: 0, signals: 0, bytes: 0 };

/**
 * Flow control towards one subscriber. The runtime's sockets have no backpressure: `send` never blocks, and a reader that
 * stopped would fill the object's memory. So the subscriber acknowledges signals; a subscriber without credit is served
 * from the log later, instead of from memory.
 *
 * A socket delivers in order. So what was sent for an earlier subscription of the same socket has arrived when something
 * of the present one is acknowledged; until then it takes its part of the credit.
 */
export class Subscription {
  readonly patterns: readonly string[];
  readonly matches: Matcher;
  /** By which the subscriber recognises it; `undefined`: it gave none. */
  readonly number: number | undefined;
  #sent: number;
  #pushed: number;
  #seen: number;
  #top: number;
  #unread: number;
  readonly #inFlight: SentFrame[] = [];
  #carried: SentFrame;
  #signals: number;
  #bytes: number;

  constructor(snapshot: SubscriptionSnapshot) {
    const { carried = NOTHING } = snapshot;
    this.patterns = snapshot.patterns;
    this.matches = compilePatterns(snapshot.patterns);
    this.number = snapshot.number;
    this.#sent = snapshot.sent;
    this.#pushed = snapshot.pushed;
    this.#seen = snapshot.seen;
    this.#top = Math.max(snapshot.top ?? 0, snapshot.sent, snapshot.pushed);
    this.#unread = snapshot.unread ?? 0;
    this.#carried = carried;
    this.#signals = carried.signals;
    this.#bytes = carried.bytes;
    const { signals = Math.min(Math.max(0, snapshot.pushed - snapshot.seen), CREDIT.signals), bytes = 0 } = snapshot;
    // After waking we know how much is in flight, not in which frames: all of it until the last signal is acknowledged.
    if (signals > 0 || bytes > 0) this.#addInFlight({ last: snapshot.pushed, signals, bytes });
  }

  /** The subscription that takes the place of this one on the same socket, from `after` on. */
  replaced(patterns: readonly string[], after: number, number?: number): Subscription {
    const waiting = this.#signals > 0 || this.#bytes > 0;
    const last = Math.max(this.#carried.last, this.#inFlight.at(-1)?.last ?? 0);
    return new Subscription({
      patterns,
      sent: after,
      pushed: after,
      seen: after,
      signals: 0,
      bytes: 0,
      carried: waiting ? { last, signals: this.#signals, bytes: this.#bytes } : NOTHING,
      top: this.#top,
      unread: waiting ? this.#unread + 1 : 0,
      ...numbered(number),
    });
  }

  get sent(): number {
    return this.#sent;
  }

  /** Last signal that was sent. */
  get pushedTo(): number {
    return this.#pushed;
  }

  get seen(): number {
    return this.#seen;
  }

  /** Signals in flight, shown to operators. */
  get inFlight(): number {
    return this.#signals;
  }

  /** Bytes in flight. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Subscriptions in a row of which nothing was acknowledged. */
  get unread(): number {
    return this.#unread;
  }

  get hasCredit(): boolean {
    return this.#signals < CREDIT.signals && this.#bytes < CREDIT.bytes;
  }

  /**
   * Whether one signal may be sent without credit: all that is in flight was sent for earlier subscriptions, and the
   * subscriber, which may have dropped that, needs something to acknowledge.
   */
  get mayProbe(): boolean {
    return this.#carried.last > 0 && this.#inFlight.length === 0;
  }

  /** A frame went out. @param through - the log has been looked through for this subscriber up to here */
  pushed(through: number, lastOfFrame: number, signals: number, bytes: number): void {
    this.skipped(through);
    if (signals === 0) return;
    this.#pushed = lastOfFrame;
    this.#addInFlight({ last: lastOfFrame, signals, bytes });
  }

  /** No signal up to `through` matched the patterns. */
  skipped(through: number): void {
    this.#sent = Math.max(this.#sent, through);
    this.#top = Math.max(this.#top, this.#sent);
  }

  /**
   * The subscriber has handled everything up to `seq`. Late and repeated acknowledgements change nothing.
   *
   * @returns `false` where it claims what was never sent; then, too, nothing changes
   */
  acknowledge(seq: number): boolean {
    if (seq > this.#top) return false;
    if (seq <= this.#seen && seq < this.#carried.last) return true;
    this.#seen = Math.max(this.#seen, Math.min(seq, this.#sent));
    let landed = 0;
    for (const frame of this.#inFlight) {
      if (frame.last > seq) break;
      landed++;
      this.#land(frame);
    }
    this.#inFlight.splice(0, landed);
    if (landed > 0 || (this.#carried.last > 0 && seq >= this.#carried.last)) {
      this.#land(this.#carried);
      this.#carried = NOTHING;
      this.#unread = 0;
    }
    return true;
  }

  snapshot(): SubscriptionSnapshot {
    return {
      patterns: this.patterns,
      sent: this.#sent,
      pushed: this.#pushed,
      seen: this.#seen,
      signals: this.#signals - this.#carried.signals,
      bytes: this.#bytes - this.#carried.bytes,
      carried: this.#carried,
      top: this.#top,
      unread: this.#unread,
      ...numbered(this.number),
    };
  }

  #addInFlight(frame: SentFrame): void {
    this.#inFlight.push(frame);
    this.#signals += frame.signals;
    this.#bytes += frame.bytes;
  }

  #land({ signals, bytes }: SentFrame): void {
    this.#signals -= signals;
    this.#bytes -= bytes;
  }
}

/** The field of a snapshot, which has none where the subscriber gave no number. */
export function numbered(number: number | undefined): { readonly number?: number } {
  return number === undefined ? {} : { number };
}
