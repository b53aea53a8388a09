import { Acknowledger } from "../../src/core/signals/log/acknowledger.ts";
import type { Logger } from "../base/log.ts";
import type { Inbox } from "../store/inbox.ts";
import type { Connection } from "./connection.ts";
import type { Delivery } from "./edge-frame.ts";

export interface InboundOptions {
  /** `null`: the link only sends. */
  readonly inbox: Inbox | null;
  /** Patterns of the signals that the sinks read; empty when there are no sinks. */
  readonly subscribe: readonly string[];
  readonly log: Logger;
  /** Called when the delivery of a connection is stored. */
  readonly onStored: (connection: Connection | undefined) => void;
}

/** A pattern that matches no signal. An empty list of patterns would match all signals. */
const NOTHING = ["!*"];

/** Subscribes to the signals that the sinks read, and stores what the edge delivers in the inbox. */
export class Inbound {
  readonly #options: InboundOptions;
  #connection: Connection | undefined;
  #acknowledger: Acknowledger | undefined;
  #subscribe: readonly string[];
  /** Changes of the subscription that the edge has not answered: deliveries may still match the old patterns. */
  #pendingChanges = 0;
  #again: NodeJS.Timeout | undefined;

  constructor(options: InboundOptions) {
    this.#options = options;
    this.#subscribe = options.subscribe;
  }

  /** Whether a delivery is needed to learn where the log ends: until then, new signals may be missed. */
  get awaitsPlace(): boolean {
    const { inbox } = this.#options;
    return inbox !== null && inbox.cursor === null && this.#subscribe.length > 0;
  }

  opened(connection: Connection): void {
    this.#connection = connection;
    this.#acknowledger = new Acknowledger({
      send: (seq) => connection.send(`{"type":"seen","seq":${seq}}`),
      later: (ms, run) => {
        const timer = setTimeout(run, ms);
        return () => clearTimeout(timer);
      },
    });
    this.#sendSubscription();
  }

  closed(): void {
    clearTimeout(this.#again);
    this.#acknowledger?.end();
    this.#acknowledger = undefined;
    this.#connection = undefined;
    this.#pendingChanges = 0;
  }

  /**
   * Changes the patterns. No signal that the edge takes in after this call is missed by the new patterns: a delivery by
   * the old patterns, still on its way, would move the inbox's cursor past such signals, so it is dropped.
   */
  setSubscribe(patterns: readonly string[]): void {
    if (JSON.stringify(patterns) === JSON.stringify(this.#subscribe)) return;
    const subscribed = this.#subscribe.length > 0;
    this.#subscribe = patterns;
    if (this.#options.inbox === null || this.#connection?.open !== true) return;
    this.#acknowledger?.flush();
    if (subscribed) {
      // The edge answers at once with an empty delivery. All deliveries before it match the old patterns.
      this.#send({ type: "subscribe", after: null, signals: NOTHING });
      this.#pendingChanges++;
    }
    this.#sendSubscription();
  }

  /** The edge did not take the last subscription now: it is sent again after so many milliseconds. */
  subscribeAgainIn(afterMs: number): void {
    clearTimeout(this.#again);
    this.#again = setTimeout(() => this.#sendSubscription(), afterMs * (1 + Math.random() / 4));
  }

  /** Acknowledges what is stored: the connection is about to be closed. */
  flush(): void {
    this.#acknowledger?.flush();
  }

  /** The edge waits for the acknowledgement of the deliveries up to `last`. */
  acknowledge(last: number): void {
    this.#acknowledger?.request(last);
  }

  /** @param bytes - length of the frame */
  receive({ last, signals }: Delivery, bytes: number): void {
    const { inbox, log, onStored } = this.#options;
    const connection = this.#connection;
    const acknowledger = this.#acknowledger;
    if (this.#pendingChanges > 0) {
      if (signals.length === 0) this.#pendingChanges--;
      return;
    }
    if (inbox === null) return;
    if (signals.length === 0 && last < (inbox.cursor ?? 0)) return this.#restartInbox(inbox, last);
    inbox.receive(last, signals).then(
      (seq) => {
        if (connection?.open === true) acknowledger?.handled(seq, signals.length, bytes);
        onStored(connection);
      },
      (error: unknown) => {
        log.error({ err: error }, "link: the inbox cannot be written");
        // The delivery is not acknowledged, so the edge repeats it over the next connection.
        connection?.abandon("the inbox cannot be written");
      },
    );
  }

  /** The log ends before the cursor of this host: the edge has lost signals, or another edge answers. */
  #restartInbox(inbox: Inbox, last: number): void {
    const { log } = this.#options;
    const seen = inbox.cursor;
    inbox.restart(last).then(
      (dropped) =>
        log.error({ seen, last, dropped }, "link: the edge's log is not the one seen before; continuing at its end"),
      (error: unknown) => log.error({ err: error }, "link: the inbox cannot be written"),
    );
  }

  #sendSubscription(): void {
    const { inbox } = this.#options;
    if (inbox === null || this.#subscribe.length === 0) return;
    this.#send({ type: "subscribe", after: inbox.cursor, signals: this.#subscribe });
  }

  #send(frame: Readonly<Record<string, unknown>>): void {
    this.#connection?.send(JSON.stringify(frame));
  }
}
