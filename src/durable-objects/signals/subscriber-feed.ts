import { IN_FLIGHT } from "../../core/signals/log/in-flight.ts";
import { framesOf, type SignalFrame } from "../../core/signals/log/signal-frames.ts";
import { numbered, Subscription } from "../../core/signals/log/subscription.ts";
import { logLine } from "../shell/log-line.ts";
import { type Connection, saveConnection } from "./connection.ts";
import { type FedSegment, linesFor } from "./fed-segment.ts";
import type { Matches } from "./log-reader.ts";

export interface SubscriberFeedOptions {
  /**
   * Reads signals for a subscription, up to {@link head}.
   *
   * @param maxChars - the stretch ends with the line that reaches so many characters
   * @returns a promise where the log is in another object
   */
  readonly read: (
    after: number,
    subscription: Subscription,
    limit: number,
    maxChars: number,
  ) => Matches | Promise<Matches>;
  /** The end of the log, as far as it is known here. */
  readonly head: () => number;
  readonly transmit: (connection: Connection, frame: string) => void;
  /** Has {@link SubscriberFeed.tick} called by this time, in milliseconds since the epoch. */
  readonly wakeBy: (atMs: number) => void;
}

/** Signals that one read for a subscriber that is behind may return. */
const CATCH_UP = 1_024;
/** A subscriber for which the edge has more, and that acknowledges nothing for so long, is cut off. */
export const STALLED_MS = 60_000;
/** Subscribers that are served in a turn, and what they are sent in it together, at most: one that is alone gets it all. */
const SERVED_AT_ONCE = 4;
const TURN_BYTES = 1024 * 1024;
/** What a read counts of that, whatever it finds: the log may hold little for a subscriber. */
const READ_COST = 16 * 1024;
/** How soon a subscriber is looked at again that waits because others have taken the room. */
const WAIT_MS = 1_000;

/** Sends signals to subscribers: new segments at once where the credit allows, and otherwise later from the log. */
export class SubscriberFeed {
  readonly #options: SubscriberFeedOptions;
  /**
   * Subscribers that are behind and may be sent more. They are served a few at a time, from a timer: a stream within this
   * process answers without the network, and many of them would keep the runtime from looking at the network for seconds.
   */
  readonly #due = new Set<Connection>();
  #turn: ReturnType<typeof setTimeout> | undefined;
  /** Subscribers that are behind because sockets of their token or of the isolate have taken the room. */
  readonly #crowdedOut = new Set<Connection>();
  /** Subscribers that have something in flight and were not requested to acknowledge it at once. */
  readonly #unrequested = new Set<Connection>();
  /** Subscribers for which the log is being read in another object. */
  readonly #reading = new Set<Connection>();

  constructor(options: SubscriberFeedOptions) {
    this.#options = options;
  }

  /** Sends new segments to the subscribers that are up to date. The others read them from the log later. */
  publish(connections: Iterable<Connection>, segments: readonly FedSegment[]): void {
    // Most subscribers take a segment whole: they share its frames.
    const whole = new Map<FedSegment, SignalFrame[]>();
    const firstSeq = segments[0]?.firstSeq ?? 0;
    for (const connection of connections) {
      const { subscription } = connection;
      if (subscription === undefined || connection.behind) continue;
      if (subscription.sent < firstSeq - 1) {
        // Something was sent to this object and has not come.
        connection.behind = true;
        this.#serveSoon(connection);
        continue;
      }
      for (const segment of segments) {
        if (segment.lastSeq <= subscription.sent) continue;
        const lines = linesFor(subscription, segment);
        let frames = lines === segment.lines ? whole.get(segment) : undefined;
        frames ??= [...framesOf(lines, IN_FLIGHT.frameBytes)];
        if (lines === segment.lines) whole.set(segment, frames);
        if (this.#send(connection, subscription, frames)) subscription.skipped(segment.lastSeq);
        else {
          connection.behind = true;
          this.#wait(connection, subscription);
          break;
        }
      }
      saveConnection(connection);
    }
  }

  /** Serves the subscribers that are behind, as far as there is room, and returns those that have stalled. */
  tick(connections: Iterable<Connection>, nowMs: number): Connection[] {
    const stalled: Connection[] = [];
    for (const connection of connections) {
      if (!connection.behind) continue;
      this.#serveSoon(connection);
      const { subscription, flow } = connection;
      // Nothing in flight: it waits for room, not for its own acknowledgement.
      if (subscription === undefined || subscription.inFlight === 0) continue;
      if (nowMs - flow.progressMs >= STALLED_MS) stalled.push(connection);
    }
    return stalled;
  }

  /**
   * Sends an agent the end of the log if its cursor is missing or invalid: an agent that subscribes from now on has no cursor,
   * and a cursor beyond the end comes from another log, or from before a restore.
   */
  announceEnd(connection: Connection, end: number, after: number | null): void {
    if (after !== null && after <= end) return;
    this.#options.transmit(connection, `{"type":"signals","last":${end},"signals":[]}`);
  }

  /** @param end - of the log: from there on the connection gets everything that matches */
  subscribe(
    connection: Connection,
    end: number,
    after: number | null,
    patterns: readonly string[],
    number?: number,
  ): void {
    // A cursor beyond the end comes from another log, or from before a restore: the subscription starts at the end.
    const start = Math.min(after ?? end, end);
    connection.subscription =
      connection.subscription?.replaced(patterns, start, number) ??
      new Subscription({ patterns, sent: start, pushed: start, seen: start, ...numbered(number) });
    // More may have come to this object since the log said where it ended.
    connection.behind = start < Math.max(end, this.#options.head());
    this.#serve(connection, true);
  }

  /**
   * The subscriber has handled every signal up to `seq`.
   *
   * @returns `false` where it claims what was never sent
   */
  seen(connection: Connection, seq: number): boolean {
    const { subscription, flow } = connection;
    if (subscription === undefined) return seq <= this.#options.head();
    const before = subscription.bytes;
    if (!subscription.acknowledge(seq)) return false;
    const landed = subscription.bytes < before;
    if (subscription.bytes === 0) this.#unrequested.delete(connection);
    if (landed || subscription.bytes === 0) flow.progressMs = Date.now();
    flow.account.set(subscription.bytes);
    saveConnection(connection);
    if (connection.behind) this.#serveSoon(connection);
    if (landed) this.#serveCrowdedOut();
    return true;
  }

  /** The subscriber is gone: what it had in flight no longer takes room. */
  closed(connection: Connection): void {
    this.#crowdedOut.delete(connection);
    this.#due.delete(connection);
    this.#unrequested.delete(connection);
    connection.subscription = undefined;
    connection.flow.account.close();
    this.#serveCrowdedOut();
  }

  /** Those who have waited longest, a few at a time: each acknowledgement makes room for about as much as it landed. */
  #serveCrowdedOut(): void {
    for (const connection of [...this.#crowdedOut].slice(0, SERVED_AT_ONCE)) this.#serveSoon(connection);
  }

  #serveSoon(connection: Connection): void {
    this.#due.add(connection);
    this.#turn ??= setTimeout(() => this.#serveDue(), 0);
  }

  #serveDue(): void {
    this.#turn = undefined;
    const served = [...this.#due].slice(0, SERVED_AT_ONCE);
    for (const connection of served) {
      this.#due.delete(connection);
      this.#serve(connection, false, TURN_BYTES / served.length);
    }
    if (this.#due.size > 0) this.#turn ??= setTimeout(() => this.#serveDue(), 0);
  }

  /** @param changed - the connection has to be saved in any case */
  #serve(connection: Connection, changed = false, turnBytes = TURN_BYTES / SERVED_AT_ONCE): void {
    const { subscription, flow } = connection;
    this.#crowdedOut.delete(connection);
    if (subscription === undefined || this.#reading.has(connection)) return;
    const before = subscription.sent;
    let left = turnBytes;
    while (connection.behind && left > 0) {
      const probing = !this.#hasRoom(connection, subscription);
      if (probing && !subscription.mayProbe) break;
      const maxBytes = probing ? 1 : Math.min(flow.account.room, IN_FLIGHT.frameBytes);
      const stretch = this.#options.read(subscription.sent, subscription, probing ? 1 : CATCH_UP, maxBytes);
      if (stretch instanceof Promise) {
        this.#reading.add(connection);
        void this.#serveWhenRead(connection, subscription, stretch, maxBytes, probing);
        break;
      }
      left -= READ_COST + this.#take(connection, subscription, stretch, maxBytes, probing);
    }
    if (this.#reading.has(connection)) {
      if (changed) saveConnection(connection);
      return;
    }
    if (connection.behind && left <= 0) this.#serveSoon(connection);
    else if (connection.behind) this.#wait(connection, subscription);
    if (changed || subscription.sent !== before) saveConnection(connection);
  }

  /** @returns the bytes that were sent */
  #take(
    connection: Connection,
    subscription: Subscription,
    { lines, through }: Matches,
    maxBytes: number,
    probing: boolean,
  ): number {
    let sent = true;
    let bytes = 0;
    for (const frame of framesOf(lines, maxBytes)) {
      sent = probing || this.#hasRoom(connection, subscription);
      if (!sent) break;
      this.#push(connection, subscription, frame);
      bytes += frame.bytes;
    }
    if (sent) subscription.skipped(through);
    connection.behind = subscription.sent < this.#options.head();
    return bytes;
  }

  async #serveWhenRead(
    connection: Connection,
    subscription: Subscription,
    reading: Promise<Matches>,
    maxBytes: number,
    probing: boolean,
  ): Promise<void> {
    try {
      const stretch = await reading;
      this.#reading.delete(connection);
      // The connection has closed, or subscribed anew: what was read is not for it any more.
      if (connection.subscription === subscription) {
        // The log does not reach as far as was said: it is another one, or has not come up yet.
        if (stretch.through <= subscription.sent) return this.#options.wakeBy(Date.now() + WAIT_MS);
        this.#take(connection, subscription, stretch, maxBytes, probing);
        saveConnection(connection);
      }
      this.#serve(connection);
    } catch (error) {
      this.#reading.delete(connection);
      logLine("warn", "log-not-read", { object: "links", error });
      this.#options.wakeBy(Date.now() + WAIT_MS);
    }
  }

  /** @returns whether all frames went out: otherwise the subscriber is behind with those that did not */
  #send(connection: Connection, subscription: Subscription, frames: readonly SignalFrame[]): boolean {
    for (const frame of frames) {
      if (!this.#hasRoom(connection, subscription)) return false;
      this.#push(connection, subscription, frame);
    }
    return true;
  }

  #push(connection: Connection, subscription: Subscription, { text, last, signals, bytes }: SignalFrame): void {
    if (subscription.bytes === 0) connection.flow.progressMs = Date.now();
    subscription.pushed(last, last, signals, bytes);
    connection.flow.account.set(subscription.bytes);
    this.#unrequested.add(connection);
    this.#options.transmit(connection, text);
  }

  #hasRoom({ flow: { account } }: Connection, subscription: Subscription): boolean {
    return subscription.hasCredit && account.room > 0;
  }

  /**
   * Acknowledgements go on with a subscriber that is behind; for the one that sends none, and for room, a clock does.
   * Subscribers gather their acknowledgements for a second, so those that are waited for are requested: its own, and where
   * others have taken the room, theirs.
   */
  #wait(connection: Connection, subscription: Subscription): void {
    const soonMs = Date.now() + WAIT_MS;
    this.#request(connection);
    if (subscription.hasCredit) {
      this.#crowdedOut.add(connection);
      for (const other of [...this.#unrequested]) this.#request(other);
    }
    this.#options.wakeBy(subscription.hasCredit ? soonMs : Math.max(soonMs, connection.flow.progressMs + STALLED_MS));
  }

  /** Once for what is in flight: not again before the subscriber was sent more. */
  #request(connection: Connection): void {
    const { subscription } = connection;
    if (!this.#unrequested.delete(connection) || subscription === undefined || !connection.flow.prompted) return;
    this.#options.transmit(connection, `{"type":"acknowledge","last":${subscription.pushedTo}}`);
  }
}
