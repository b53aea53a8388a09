import type { Segment } from "../../core/signals/log/segment.ts";
import { Subscription } from "../../core/signals/log/subscription.ts";
import { lineName, lineSeq } from "../../core/signals/signal-line.ts";
import { type Connection, saveConnection } from "./connection.ts";
import type { Stretch } from "./log-reader.ts";

export interface SubscriberFeedOptions {
  readonly read: (after: number, matches: (name: string) => boolean, limit: number) => Stretch;
  readonly head: () => number;
  readonly transmit: (connection: Connection, frame: string) => void;
}

/** Signals that one read for a subscriber that is behind may return. */
const CATCH_UP = 1_024;

/** Sends signals to subscribers: new segments at once where the credit allows, and otherwise later from the log. */
export class SubscriberFeed {
  readonly #options: SubscriberFeedOptions;

  constructor(options: SubscriberFeedOptions) {
    this.#options = options;
  }

  /** Sends new segments to the subscribers that are up to date. The others read them from the log later. */
  publish(connections: Iterable<Connection>, segments: readonly Segment[]): void {
    for (const connection of connections) {
      if (connection.subscription === undefined || connection.behind) continue;
      for (const segment of segments) {
        if (!connection.subscription.hasCredit) {
          connection.behind = true;
          break;
        }
        this.#push(connection, connection.subscription, segment.lines, segment.names, segment.lastSeq);
      }
      saveConnection(connection);
    }
  }

  /** Serves the subscribers that are behind, as far as their credit allows. */
  catchUp(connections: Iterable<Connection>): void {
    for (const connection of connections) if (connection.behind) this.#serve(connection);
  }

  /**
   * Sends an agent the end of the log if its cursor is missing or invalid: an agent that subscribes from now on has no cursor,
   * and a cursor beyond the end comes from another log, or from before a restore.
   */
  announceEnd(connection: Connection, after: number | null): void {
    const head = this.#options.head();
    if (after !== null && after <= head) return;
    this.#options.transmit(connection, `{"type":"signals","last":${head},"signals":[]}`);
  }

  subscribe(connection: Connection, after: number | null, patterns: readonly string[]): void {
    // A cursor beyond the head comes from another log, or from before a restore: the subscription starts at the head.
    const start = Math.min(after ?? this.#options.head(), this.#options.head());
    connection.subscription = new Subscription({ patterns, sent: start, pushed: start, seen: start });
    connection.behind = start < this.#options.head();
    this.#serve(connection);
  }

  /** The subscriber has handled every signal up to `seq`. */
  seen(connection: Connection, seq: number): void {
    const { subscription } = connection;
    if (subscription === undefined) return;
    subscription.acknowledge(seq);
    if (connection.behind) this.#serve(connection);
    else saveConnection(connection);
  }

  #serve(connection: Connection): void {
    const { subscription } = connection;
    if (subscription === undefined) return;
    while (connection.behind && subscription.hasCredit) {
      const stretch = this.#options.read(subscription.sent, subscription.matches, CATCH_UP);
      this.#send(connection, subscription, stretch.lines, stretch.through);
      connection.behind = subscription.sent < this.#options.head();
    }
    saveConnection(connection);
  }

  #push(
    connection: Connection,
    subscription: Subscription,
    lines: readonly string[],
    names: readonly string[],
    through: number,
  ): void {
    if (names.length === 1) {
      const [name = ""] = names;
      this.#send(connection, subscription, subscription.matches(name) ? lines : [], through);
    } else if (names.every(subscription.matches)) this.#send(connection, subscription, lines, through);
    else
      this.#send(
        connection,
        subscription,
        lines.filter((line) => subscription.matches(lineName(line))),
        through,
      );
  }

  #send(connection: Connection, subscription: Subscription, lines: readonly string[], through: number): void {
    const lastLine = lines.at(-1);
    if (lastLine === undefined) return subscription.skipped(through);
    const last = lineSeq(lastLine);
    const frame = `{"type":"signals","last":${last},"signals":[${lines.join(",")}]}`;
    subscription.pushed(through, last, lines.length, frame.length);
    this.#options.transmit(connection, frame);
  }
}
