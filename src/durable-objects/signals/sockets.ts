import type { OpenLink } from "../../core/hosts/api.ts";
import { type Problem, problem } from "../../core/problem/problem.ts";
import type { LogStatus } from "../../core/signals/api.ts";
import { InFlight } from "../../core/signals/log/in-flight.ts";
import type { LinkPace } from "../../core/wire/link-frames.ts";
import { TOO_MANY_REFUSALS } from "../../core/wire/refusal-meter.ts";
import { UnknownTypes } from "../../core/wire/unknown-types.ts";
import { logLine } from "../shell/log-line.ts";
import { closeEnded } from "../shell/sockets.ts";
import { type Complete, completeFor } from "./complete.ts";
import {
  type Connection,
  type ConnectionToken,
  type Flow,
  type LinkAgent,
  newConnection,
  restoreConnection,
  saveConnection,
} from "./connection.ts";
import type { FedSegment } from "./fed-segment.ts";
import { LinkAppends, type LinkAppendsOptions } from "./link-appends.ts";
import { LinkDeadLetters } from "./link-dead-letters.ts";
import { type FrameName, readFrame } from "./read-frame.ts";
import { StreamKeepAlive } from "./stream-keep-alive.ts";
import { SubscribeFrames, type SubscribeFramesOptions } from "./subscribe-frames.ts";
import { STALLED_MS, SubscriberFeed, type SubscriberFeedOptions } from "./subscriber-feed.ts";
import { TokenExpiry } from "./token-expiry.ts";

/** Of all objects that live in this isolate: they share its memory. */
const IN_FLIGHT = new InFlight();

export interface SocketsOptions
  extends Omit<SubscriberFeedOptions, "transmit">,
    Pick<LinkAppendsOptions, "append" | "deadLetter" | "keepAlive">,
    Pick<SubscribeFramesOptions, "subscribing"> {
  readonly ecosystem: string;
  /** How often a quiet stream is sent something, in milliseconds; 0: never. */
  readonly keepAliveMs: number;
  readonly factsReceived: (host: string, request: string, facts: Record<string, unknown>) => void;
  /** How hosts gather what they send; absent: not at all. */
  readonly pace?: LinkPace | undefined;
  /** Links were opened or closed. */
  readonly linksChanged: () => void;
  readonly status: (host: string, status: Record<string, unknown>) => void;
}

/** The links and streams of one log: handles the frames of agents and sends signals to subscribers. */
export class Sockets {
  readonly #options: SocketsOptions;
  readonly #connections = new Map<WebSocket, Connection>();
  /** Sockets that were closed here: what they have not taken stays in memory until their other end has gone, too. */
  readonly #leaving = new Map<WebSocket, Connection>();
  readonly #feed: SubscriberFeed;
  readonly #keepAlive: StreamKeepAlive;
  readonly #appends: LinkAppends;
  readonly #deadLetters: LinkDeadLetters;
  readonly #subscriptions: SubscribeFrames;
  readonly #expiry = new TokenExpiry();
  readonly #unknown = new UnknownTypes();

  /** @param open - sockets that survived hibernation */
  constructor(open: readonly WebSocket[], options: SocketsOptions) {
    this.#options = options;
    const { read, head, wakeBy, keepAliveMs } = options;
    const transmit = (connection: Connection, frame: string) => this.#transmit(connection, frame);
    this.#feed = new SubscriberFeed({ read, head, wakeBy, transmit });
    this.#keepAlive = new StreamKeepAlive({ everyMs: keepAliveMs, transmit, wakeBy });
    this.#appends = new LinkAppends({
      append: options.append,
      deadLetter: options.deadLetter,
      keepAlive: options.keepAlive,
      transmit,
      refuse: (connection, batch, refusal, retryAfterMs) => this.#refuse(connection, batch, refusal, retryAfterMs),
    });
    this.#deadLetters = new LinkDeadLetters({
      deadLetter: options.deadLetter,
      transmit,
      refuse: (connection, letters, refusal, retryAfterMs) =>
        this.#refuse(connection, null, refusal, retryAfterMs, { frame: "letters", letters }),
    });
    this.#subscriptions = new SubscribeFrames({
      feed: this.#feed,
      subscribing: options.subscribing,
      pace: options.pace,
      transmit,
      isOpen: ({ socket }) => this.#connections.has(socket),
      refuse: (connection, refusal, retryAfterMs) =>
        this.#refuse(connection, null, refusal, retryAfterMs, { frame: "subscribe" }),
      cut: (connection, code, reason) => this.#cut(connection, code, reason),
    });
    IN_FLIGHT.forget(options.ecosystem);
    for (const socket of open) {
      const connection = restoreConnection(socket, (token) => IN_FLIGHT.open(options.ecosystem, token));
      if (connection === undefined) continue;
      this.#add(connection);
      connection.behind = (connection.subscription?.sent ?? Number.POSITIVE_INFINITY) < options.head();
    }
  }

  get all(): readonly Connection[] {
    return [...this.#connections.values()];
  }

  get status(): Pick<LogStatus, "subscribers" | "bytes_in_flight" | "hosts" | "unknown_frames"> {
    const connections = this.all;
    let bytes = 0;
    // Those of sockets that were cut off are in memory, too.
    for (const { flow } of [...connections, ...this.#leaving.values()]) bytes += flow.account.bytes;
    return {
      subscribers: connections.filter(({ subscription }) => subscription !== undefined).length,
      bytes_in_flight: bytes,
      hosts: [...new Set(connections.flatMap(({ host }) => (host === null ? [] : [host])))].sort(),
      unknown_frames: this.#unknown.count,
    };
  }

  /** Links that are open now; a host may have several while one takes the place of another. */
  get links(): OpenLink[] {
    return this.all.flatMap(({ host, openedMs }) => (host === null ? [] : [{ host, openedMs }]));
  }

  openLink(socket: WebSocket, host: string, nowMs: number, token: ConnectionToken, agent: LinkAgent): void {
    const connection = newConnection(socket, host, nowMs, token, this.#flow(token, nowMs, true), agent);
    this.#add(connection);
    saveConnection(connection);
    this.#options.linksChanged();
  }

  /** @param query - `after`, `prompted` and each `signal` pattern, checked by the Worker */
  openStream(socket: WebSocket, nowMs: number, token: ConnectionToken, query: URLSearchParams): void {
    const after = query.get("after");
    const connection = newConnection(socket, null, nowMs, token, this.#flow(token, nowMs, query.has("prompted")));
    this.#add(connection);
    const end = this.#options.head();
    this.#feed.subscribe(connection, end, after === null ? null : Number(after), query.getAll("signal"));
    saveConnection(connection);
    this.#keepAlive.opened(nowMs);
  }

  #flow({ id }: ConnectionToken, nowMs: number, prompted: boolean): Flow {
    return { account: IN_FLIGHT.open(this.#options.ecosystem, id), progressMs: nowMs, prompted };
  }

  #add(connection: Connection): void {
    this.#connections.set(connection.socket, connection);
    this.#expiry.opened(connection);
  }

  /** Closes the connections whose token has expired: nothing more is sent to them or taken from them. */
  #endExpired(nowMs?: number): void {
    for (const { socket } of this.#expiry.expired(this.#connections, nowMs)) {
      this.leave(socket);
      closeEnded(socket);
    }
  }

  linksOf(host: string): Connection[] {
    this.#endExpired();
    return this.all.filter((connection) => connection.host === host);
  }

  /** The other end has gone. */
  close(socket: WebSocket): void {
    const connection = this.#connections.get(socket) ?? this.#leaving.get(socket);
    if (connection === undefined) return;
    this.#forget(connection);
    this.#leaving.delete(socket);
    this.#feed.closed(connection);
  }

  /** The socket is about to be closed here: it is served no more. */
  leave(socket: WebSocket): void {
    const connection = this.#connections.get(socket);
    if (connection === undefined) return;
    this.#forget(connection);
    this.#leaving.set(socket, connection);
  }

  #forget({ socket, host }: Connection): void {
    if (this.#connections.delete(socket) && host !== null) this.#options.linksChanged();
  }

  /** @param reason - 123 bytes at most */
  #cut({ socket }: Connection, code: number, reason: string): void {
    this.leave(socket);
    socket.close(code, reason);
  }

  /**
   * Sends a frame to every host, over the newest of its links.
   *
   * @returns for each host that was reached, a function that returns whether that link is still open
   */
  toHosts(frame: (host: string, complete: Complete | undefined) => string): Map<string, () => boolean> {
    this.#endExpired();
    const newest = new Map<string, Connection>();
    for (const connection of this.#connections.values()) {
      if (connection.host === null) continue;
      const other = newest.get(connection.host);
      // Of links opened in the same millisecond the later one wins: the map keeps the order of opening.
      if (other === undefined || connection.openedMs >= other.openedMs) newest.set(connection.host, connection);
    }
    const reached = new Map<string, () => boolean>();
    for (const [host, connection] of newest) {
      this.#transmit(connection, frame(host, completeFor(connection)));
      if (this.#connections.has(connection.socket)) reached.set(host, () => this.#connections.has(connection.socket));
    }
    return reached;
  }

  receive(socket: WebSocket, message: string | ArrayBuffer): void {
    this.#endExpired();
    if (this.#leaving.has(socket)) return;
    const connection = this.#connections.get(socket);
    if (connection === undefined) return socket.close(1011, "The edge lost this connection: connect again");
    if (typeof message !== "string")
      return this.#refuse(connection, null, problem("binary-frame", 415, "Frames are JSON text"));
    if (this.#subscriptions.defers(connection, message, () => this.receive(socket, message))) return;
    const received = readFrame(message);
    if ("unknown" in received) return this.#ignore(connection, received.unknown);
    if ("problem" in received) return this.#refuse(connection, received.batch, received.problem, undefined, received);
    const { frame } = received;
    const { host } = connection;
    switch (frame.type) {
      case "append":
        return this.#appends.receive(connection, frame, received);
      case "subscribe":
        return this.#subscriptions.receive(connection, frame);
      case "seen":
        if (this.#feed.seen(connection, frame.seq)) return;
        return this.#cut(connection, 1002, `seen ${frame.seq} claims more than was sent: acknowledge what has arrived`);
    }
    if (host === null) {
      const letters = frame.type === "letters" ? { letters: frame.batch } : {};
      const refusal = problem("read-only", 403, "A stream only reads", `Send ${frame.type} over a host's link`);
      return this.#refuse(connection, null, refusal, undefined, { frame: frame.type, ...letters });
    }
    switch (frame.type) {
      case "letters":
        return this.#deadLetters.receive(connection, host, frame);
      case "facts":
        return this.#options.factsReceived(host, frame.request, frame.facts);
      case "status": {
        const { type: _, ...status } = frame;
        return this.#options.status(host, status);
      }
    }
  }

  /** A ping of the socket has been answered here. */
  pinged(socket: WebSocket): void {
    const connection = this.#connections.get(socket);
    if (connection !== undefined) connection.heardMs = Date.now();
  }

  publish(segments: readonly FedSegment[]): void {
    this.#endExpired();
    this.#feed.publish(this.#connections.values(), segments);
  }

  /** Serves the subscribers that are behind, and cuts off those that take nothing. */
  tick(nowMs: number): void {
    this.#endExpired(nowMs);
    for (const connection of this.#feed.tick(this.#connections.values(), nowMs)) {
      const reason = `nothing was acknowledged for ${STALLED_MS / 1_000} s: resume after the last signal that was handled`;
      this.#cut(connection, 1013, reason);
    }
    this.#keepAlive.tick(this.#connections.values(), nowMs);
  }

  #ignore({ host }: Connection, type: string): void {
    const name = this.#unknown.note(type);
    if (name !== undefined)
      // The agent may be newer than the edge.
      logLine("warn", "frames-ignored", { object: "signals", host, type: name });
  }

  #refuse(
    connection: Connection,
    batch: number | null,
    refusal: Problem,
    retryAfterMs?: number,
    { frame: type, letters }: Omit<FrameName, "batch"> = {},
  ): void {
    const named = { batch, frame: type, letters };
    const frame = JSON.stringify({ type: "refused", ...named, problem: refusal, retry_after_ms: retryAfterMs });
    if (connection.refusals.admit(frame.length, Date.now())) this.#transmit(connection, frame);
    else this.#cut(connection, 1008, TOO_MANY_REFUSALS);
  }

  #transmit(connection: Connection, frame: string): void {
    try {
      connection.socket.send(frame);
    } catch {
      // The other end left between two events. It resumes from its own cursor, so the lost frame does no harm.
      this.close(connection.socket);
    }
  }
}
