import type { Problem } from "../../core/problem/problem.ts";
import type { AgentFrame, LinkPace } from "../../core/wire/link-frames.ts";
import { logLine } from "../shell/log-line.ts";
import type { Connection } from "./connection.ts";
import type { SubscriberFeed } from "./subscriber-feed.ts";
import { SUBSCRIBE_AGAIN_MS, subscriptionRefusal } from "./subscription-limits.ts";

export interface SubscribeFramesOptions {
  readonly feed: SubscriberFeed;
  /**
   * A connection is about to subscribe.
   *
   * @returns the end of the log, from which on everything that matches comes to this object; a promise where the log is in
   * another one
   */
  readonly subscribing: (connection: Connection, patterns: readonly string[]) => number | Promise<number>;
  /** How links are asked to gather; `undefined`: they are not. */
  readonly pace: LinkPace | undefined;
  readonly transmit: (connection: Connection, frame: string) => void;
  readonly isOpen: (connection: Connection) => boolean;
  readonly refuse: (connection: Connection, refusal: Problem, retryAfterMs: number) => void;
  /** Closes the connection. */
  readonly cut: (connection: Connection, code: number, reason: string) => void;
}

/** Characters of the frames of one link that may wait. */
const MAX_WAITING_CHARS = 8 * 1024 * 1024;

/** Starts and changes the subscriptions of links. */
export class SubscribeFrames {
  readonly #options: SubscribeFramesOptions;

  constructor(options: SubscribeFramesOptions) {
    this.#options = options;
  }

  receive(connection: Connection, { after, signals, number }: Extract<AgentFrame, { type: "subscribe" }>): void {
    const { feed, subscribing, isOpen, refuse, cut, pace, transmit } = this.#options;
    const refusal = subscriptionRefusal(connection, Date.now());
    if (refusal !== undefined) return refuse(connection, refusal, SUBSCRIBE_AGAIN_MS);
    const begin = (end: number) => {
      if (!isOpen(connection)) return;
      if (pace !== undefined && connection.host !== null && connection.subscription === undefined)
        transmit(connection, JSON.stringify({ type: "pace", ...pace }));
      feed.announceEnd(connection, end, after);
      feed.subscribe(connection, end, after, signals, number);
    };
    const end = subscribing(connection, signals);
    if (typeof end === "number") return begin(end);
    const failed = (error: unknown) => {
      logLine("warn", "link-not-subscribed", { object: "links", host: connection.host, error });
      cut(connection, 1013, "the log could not be reached: connect again");
    };
    const before = connection.subscribing ?? Promise.resolve();
    const begun: Promise<void> = before
      .then(() => end)
      .then(begin, failed)
      .then(() => {
        if (connection.subscribing === begun) connection.subscribing = undefined;
      });
    connection.subscribing = begun;
  }

  /**
   * Frames are handled in their order: those that follow a subscription wait until it has begun.
   *
   * @param again - handles the frame
   * @returns whether the frame waits
   */
  defers(connection: Connection, frame: string, again: () => void): boolean {
    const { subscribing } = connection;
    if (subscribing === undefined) return false;
    connection.waiting += frame.length;
    if (connection.waiting > MAX_WAITING_CHARS) {
      this.#options.cut(connection, 1013, "too many frames wait for a subscription: connect again");
      return true;
    }
    void subscribing.then(() => {
      connection.waiting -= frame.length;
      if (this.#options.isOpen(connection)) again();
    });
    return true;
  }
}
