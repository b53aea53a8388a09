import { Acknowledger } from "../../src/core/signals/log/acknowledger.ts";
import type { Logger } from "../base/log.ts";
import { isNothing, NOTHING } from "../feature/nothing.ts";
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

/** What the edge says of a subscription; see GatherFrame. */
export interface Complete {
  readonly number: number;
  readonly seq: number;
}

/** Subscribes to the signals that the sinks read, and stores what the edge delivers in the inbox. */
export class Inbound {
  readonly #options: InboundOptions;
  #connection: Connection | undefined;
  #acknowledger: Acknowledger | undefined;
  #subscribe: readonly string[];
  /** Of the last subscription that was sent. */
  #number = 0;
  /**
   * Subscriptions from the end of the log on that the edge has not answered, by an empty delivery each. `place`: the inbox
   * begins there. `change`: all deliveries before it match old patterns.
   */
  #unanswered: ("place" | "change")[] = [];
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
    this.#unanswered = [];
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
      // An answer that is on its way shows where the log ended before this call, or after it: the inbox may not begin there.
      this.#unanswered = this.#unanswered.map(() => "change");
      this.#sendFromEnd(NOTHING, "change");
    }
    this.#sendSubscription();
  }

  /**
   * The edge has sent every signal up to a place. The inbox's cursor moves there without an acknowledgement, which would
   * be one more message: signals that a later pattern matches then come from there on, and not from long ago.
   */
  completed(complete: Complete | undefined): void {
    const { inbox, log } = this.#options;
    if (inbox?.cursor === undefined || inbox.cursor === null || complete === undefined) return;
    if (complete.number !== this.#number || complete.seq <= inbox.cursor || this.#isChanging) return;
    inbox
      .receive(complete.seq, [])
      .catch((error: unknown) => log.error({ err: error }, "link: the inbox cannot be written"));
  }

  get #isChanging(): boolean {
    return this.#unanswered.includes("change");
  }

  /** The edge did not take the last subscription now: it is sent again after so many milliseconds. */
  subscribeAgainIn(afterMs: number): void {
    // Which of the frames of a change was refused is not known. Another connection begins with what is subscribed to now.
    if (this.#isChanging) return this.#connection?.abandon("the edge refused to change the subscription");
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
    const changing = this.#isChanging;
    if (signals.length === 0) this.#unanswered.shift();
    if (changing) return;
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
    // Of nothing no signal can be missed: the place is asked for all the same, for the first pattern that comes.
    if (inbox.cursor === null || isNothing(this.#subscribe)) this.#sendFromEnd(this.#subscribe, "place");
    else this.#send(inbox.cursor, this.#subscribe);
  }

  #sendFromEnd(patterns: readonly string[], unanswered: "place" | "change"): void {
    this.#unanswered.push(unanswered);
    this.#send(null, patterns);
  }

  #send(after: number | null, signals: readonly string[]): void {
    this.#connection?.send(JSON.stringify({ type: "subscribe", after, signals, number: ++this.#number }));
  }
}
