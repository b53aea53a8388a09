import type { OpenLink } from "../../core/hosts/api.ts";
import { type Problem, problem } from "../../core/problem/problem.ts";
import type { Segment } from "../../core/signals/log/segment.ts";
import { type AgentFrame, PING, PONG } from "../../core/wire/link-frames.ts";
import { UnknownTypes } from "../../core/wire/unknown-types.ts";
import { type Connection, type LinkAgent, newConnection, restoreConnection, saveConnection } from "./connection.ts";
import { LinkAppends, type LinkAppendsOptions } from "./link-appends.ts";
import { readFrame } from "./read-frame.ts";
import { SubscriberFeed, type SubscriberFeedOptions } from "./subscriber-feed.ts";

export interface SocketsOptions
  extends Omit<SubscriberFeedOptions, "transmit">,
    Pick<LinkAppendsOptions, "append" | "deadLetter" | "keepAlive"> {
  readonly ecosystem: string;
  readonly factsReceived: (host: string, request: string, facts: Record<string, unknown>) => void;
  /** Links were opened or closed. */
  readonly linksChanged: () => void;
  readonly status: (host: string, status: Record<string, unknown>) => void;
}

/** The links and streams of one log: handles the frames of agents and sends signals to subscribers. */
export class Sockets {
  readonly #options: SocketsOptions;
  readonly #connections = new Map<WebSocket, Connection>();
  readonly #feed: SubscriberFeed;
  readonly #appends: LinkAppends;
  readonly #unknown = new UnknownTypes();

  /** @param open - sockets that survived hibernation; their subscriptions continue */
  constructor(open: readonly WebSocket[], options: SocketsOptions) {
    this.#options = options;
    this.#feed = new SubscriberFeed({
      read: options.read,
      head: options.head,
      transmit: (connection, frame) => this.#transmit(connection, frame),
    });
    this.#appends = new LinkAppends({
      append: options.append,
      deadLetter: options.deadLetter,
      keepAlive: options.keepAlive,
      transmit: (connection, frame) => this.#transmit(connection, frame),
      refuse: (connection, batch, refusal, retryAfterMs) => this.#refuse(connection, batch, refusal, retryAfterMs),
    });
    for (const socket of open) {
      const connection = restoreConnection(socket);
      if (connection === undefined) continue;
      this.#connections.set(socket, connection);
      const { subscription } = connection;
      connection.behind = subscription !== undefined && subscription.sent < options.head();
    }
  }

  get subscribers(): number {
    return [...this.#connections.values()].filter((connection) => connection.subscription !== undefined).length;
  }

  /** Frames of newer agents that were ignored since this object woke. */
  get unknownFrames(): number {
    return this.#unknown.count;
  }

  get hosts(): string[] {
    return [...new Set([...this.#connections.values()].flatMap(({ host }) => (host === null ? [] : [host])))].sort();
  }

  /** Links that are open now; a host may have several while one takes the place of another. */
  get links(): OpenLink[] {
    return [...this.#connections.values()].flatMap(({ host, openedMs }) => (host === null ? [] : [{ host, openedMs }]));
  }

  /** Opens the link of a host, which subscribes by a frame of its own. */
  openLink(socket: WebSocket, host: string, nowMs: number, agent: LinkAgent): void {
    const connection = newConnection(socket, host, nowMs, agent);
    this.#connections.set(socket, connection);
    saveConnection(connection);
    this.#options.linksChanged();
  }

  openStream(socket: WebSocket, nowMs: number, after: number | null, patterns: readonly string[]): void {
    const connection = newConnection(socket, null, nowMs);
    this.#connections.set(socket, connection);
    this.#feed.subscribe(connection, after, patterns);
    saveConnection(connection);
  }

  linksOf(host: string): Connection[] {
    return [...this.#connections.values()].filter((connection) => connection.host === host);
  }

  close(socket: WebSocket): void {
    const connection = this.#connections.get(socket);
    if (connection === undefined) return;
    this.#connections.delete(socket);
    if (connection.host !== null) this.#options.linksChanged();
  }

  /**
   * Sends a frame to every host, over the newest of its links.
   *
   * @returns for each host that was reached, a function that returns whether that link is still open
   */
  toHosts(frame: (host: string) => string): Map<string, () => boolean> {
    const newest = new Map<string, Connection>();
    for (const connection of this.#connections.values()) {
      if (connection.host === null) continue;
      const other = newest.get(connection.host);
      // Of links opened in the same millisecond the later one wins: the map keeps the order of opening.
      if (other === undefined || connection.openedMs >= other.openedMs) newest.set(connection.host, connection);
    }
    const reached = new Map<string, () => boolean>();
    for (const [host, connection] of newest) {
      this.#transmit(connection, frame(host));
      if (this.#connections.has(connection.socket)) reached.set(host, () => this.#connections.has(connection.socket));
    }
    return reached;
  }

  receive(socket: WebSocket, message: string | ArrayBuffer): void {
    const connection = this.#connections.get(socket);
    if (connection === undefined) return socket.close(1011, "The edge lost this connection: connect again");
    if (typeof message !== "string")
      return this.#refuse(connection, null, problem("binary-frame", 415, "Frames are JSON text"));
    if (message === PING) return socket.send(PONG);
    const received = readFrame(message);
    if ("unknown" in received) return this.#ignore(connection, received.unknown);
    if ("problem" in received) return this.#refuse(connection, received.batch, received.problem);
    const { frame, faults } = received;
    switch (frame.type) {
      case "append":
        return this.#appends.receive(connection, frame, faults);
      case "subscribe":
        this.#feed.announceEnd(connection, frame.after);
        return this.#feed.subscribe(connection, frame.after, frame.signals);
      case "letters":
        return this.#deadLetters(connection, frame);
      case "seen":
        return this.#feed.seen(connection, frame.seq);
      case "facts":
        if (connection.host !== null) this.#options.factsReceived(connection.host, frame.request, frame.facts);
        return;
      case "status": {
        const { type: _, ...status } = frame;
        if (connection.host !== null) this.#options.status(connection.host, status);
        return;
      }
    }
  }

  publish(segments: readonly Segment[]): void {
    this.#feed.publish(this.#connections.values(), segments);
  }

  catchUp(): void {
    this.#feed.catchUp(this.#connections.values());
  }

  #ignore({ host }: Connection, type: string): void {
    const name = this.#unknown.note(type);
    if (name !== undefined)
      console.warn(
        `signal log: ignoring frames of the type ${name} from host ${host}: its agent may be newer than the edge`,
      );
  }

  #deadLetters(connection: Connection, { batch, letters }: Extract<AgentFrame, { type: "letters" }>): void {
    const { host } = connection;
    if (host === null)
      return this.#refuse(
        connection,
        null,
        problem("read-only", 403, "A stream only reads: send dead letters over a link"),
      );
    // A host sends its own dead letters only: it could otherwise change those of another host.
    const foreign = letters.find(({ id }) => !id.startsWith(`${host}.`));
    if (foreign !== undefined) {
      const detail = `${foreign.id}: the ids of this host's dead letters begin with ${host}.`;
      return this.#refuse(connection, null, problem("foreign-letter", 403, "Dead letter of another host", detail));
    }
    this.#options.deadLetter(letters.map((letter) => ({ ...letter, host }))).then(
      () => this.#transmit(connection, JSON.stringify({ type: "lettered", batch })),
      (error: unknown) => {
        // Without an answer, the agent sends the dead letters again over its next connection.
        console.warn("signal log: dead letters of a host could not be recorded", host, String(error));
      },
    );
  }

  #refuse(connection: Connection, batch: number | null, refusal: Problem, retryAfterMs?: number): void {
    const frame = {
      type: "refused",
      batch,
      problem: refusal,
      ...(retryAfterMs === undefined ? {} : { retry_after_ms: retryAfterMs }),
    };
    this.#transmit(connection, JSON.stringify(frame));
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
