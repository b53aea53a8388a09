import type { DeadLetterRecord } from "../../core/dead-letters/record.ts";
import type { OpenLink } from "../../core/hosts/presence-tracker.ts";
import { type Problem, problem } from "../../core/problem/problem.ts";
import type { AppendOutcome, AppendRequest } from "../../core/signals/api.ts";
import type { Segment } from "../../core/signals/log/segment.ts";
import { Subscription, type SubscriptionSnapshot } from "../../core/signals/log/subscription.ts";
import { lineName, lineSeq } from "../../core/signals/signal-line.ts";
import { type AgentFrame, PING, PONG } from "../../core/wire/link-frames.ts";
import { UnknownTypes } from "../../core/wire/unknown-types.ts";
import type { Stretch } from "./log-reader.ts";
import { admitNumbered, appended } from "./numbered-batch.ts";
import { readFrame } from "./read-frame.ts";

/** What a socket is for, and where its subscription stands: all that survives hibernation. */
interface Attachment {
  /** `null`: a stream, which only reads. */
  readonly host: string | null;
  readonly subscription: SubscriptionSnapshot | null;
  /** Left out by sockets that were opened before it was kept. */
  readonly openedMs?: number;
}

interface Connection {
  readonly socket: WebSocket;
  readonly host: string | null;
  readonly openedMs: number;
  subscription: Subscription | undefined;
  /** A read for this subscriber is running or due. */
  behind: boolean;
  /** Batches refused and not yet sent again, by producer: later ones are refused too, or their order would be lost. */
  readonly refused: Map<string, number>;
}

export interface SocketsOptions {
  readonly ecosystem: string;
  readonly append: (request: AppendRequest, answer: (outcome: AppendOutcome) => void) => void;
  readonly read: (after: number, wants: (name: string) => boolean, limit: number) => Stretch;
  readonly head: () => number;
  readonly bury: (letters: readonly DeadLetterRecord[]) => void;
  /** Resolves when the letters are durable in their room. */
  readonly keep: (letters: readonly DeadLetterRecord[]) => Promise<void>;
  readonly gathered: (host: string, request: string, facts: Record<string, unknown>) => void;
  /** Links were opened or closed. */
  readonly linksChanged: () => void;
  readonly status: (host: string, status: Record<string, unknown>) => void;
}

/** Signals read for a subscriber that has fallen behind, in one go. */
const CATCH_UP = 1_024;

/** The links and streams of one log: hears what agents send, pushes what subscribers asked for. */
export class Sockets {
  readonly #options: SocketsOptions;
  readonly #connections = new Map<WebSocket, Connection>();
  readonly #unknown = new UnknownTypes();

  /** @param open - sockets that outlived hibernation: without them, subscribers would wait in silence for ever */
  constructor(open: readonly WebSocket[], options: SocketsOptions) {
    this.#options = options;
    for (const socket of open) {
      const attachment = socket.deserializeAttachment() as Attachment | null;
      if (attachment === null) continue;
      const subscription = attachment.subscription === null ? undefined : new Subscription(attachment.subscription);
      const connection = this.#remember(socket, attachment.host, subscription, attachment.openedMs ?? 0);
      connection.behind = subscription !== undefined && subscription.sent < options.head();
    }
  }

  get subscribers(): number {
    return [...this.#connections.values()].filter((connection) => connection.subscription !== undefined).length;
  }

  /** Frames of newer agents that were passed over, since this object woke. */
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

  /** @param stream - left out: a link, which subscribes by a frame of its own */
  open(
    socket: WebSocket,
    host: string | null,
    nowMs: number,
    stream?: { after: number | null; patterns: readonly string[] },
  ): void {
    const connection = this.#remember(socket, host, undefined, nowMs);
    if (stream !== undefined) this.#subscribe(connection, stream.after, stream.patterns);
    this.#attach(connection);
    if (host !== null) this.#options.linksChanged();
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
   * @returns for each host that was reached, a function that says whether that link is still open
   */
  toHosts(frame: (host: string) => string): Map<string, () => boolean> {
    const newest = new Map<string, Connection>();
    for (const connection of this.#connections.values()) {
      if (connection.host === null) continue;
      const other = newest.get(connection.host);
      // Among equals the one that came last: the order of the map is that of opening.
      if (other === undefined || connection.openedMs >= other.openedMs) newest.set(connection.host, connection);
    }
    const reached = new Map<string, () => boolean>();
    for (const [host, connection] of newest) {
      this.#transmit(connection, frame(host));
      if (this.#connections.has(connection.socket)) reached.set(host, () => this.#connections.has(connection.socket));
    }
    return reached;
  }

  hear(socket: WebSocket, message: string | ArrayBuffer): void {
    const connection = this.#connections.get(socket);
    if (connection === undefined) return socket.close(1011, "the connection was lost; connect again");
    if (typeof message !== "string")
      return this.#refuse(connection, null, problem("binary-frame", 415, "Frames are JSON text"));
    if (message === PING) return socket.send(PONG);
    const frame = readFrame(message);
    if (!("type" in frame))
      return "unknown" in frame
        ? this.#passOver(connection, frame.unknown)
        : this.#refuse(connection, frame.batch, frame.problem);
    switch (frame.type) {
      case "append":
        return this.#append(connection, frame);
      case "subscribe":
        this.#announceEnd(connection, frame.after);
        return this.#subscribe(connection, frame.after, frame.signals);
      case "letters":
        return this.#letters(connection, frame);
      case "seen":
        return this.#seen(connection, frame.seq);
      case "facts":
        if (connection.host !== null) this.#options.gathered(connection.host, frame.request, frame.facts);
        return;
      case "status": {
        const { type: _, ...status } = frame;
        if (connection.host !== null) this.#options.status(connection.host, status);
        return;
      }
    }
  }

  /** Sends new segments to everybody who is up to date; whoever is behind gets them from the log later. */
  publish(segments: readonly Segment[]): void {
    for (const connection of this.#connections.values()) {
      if (connection.subscription === undefined || connection.behind) continue;
      for (const segment of segments) {
        if (!connection.subscription.hasCredit) {
          connection.behind = true;
          break;
        }
        this.#push(connection, connection.subscription, segment.lines, segment.names, segment.lastSeq);
      }
      this.#attach(connection);
    }
  }

  /** Serves everybody who is behind, as far as their credit goes. */
  catchUp(): void {
    for (const connection of this.#connections.values()) if (connection.behind) this.#serve(connection);
  }

  #remember(
    socket: WebSocket,
    host: string | null,
    subscription: Subscription | undefined,
    openedMs: number,
  ): Connection {
    const connection: Connection = { socket, host, openedMs, subscription, behind: false, refused: new Map() };
    this.#connections.set(socket, connection);
    return connection;
  }

  #attach({ socket, host, openedMs, subscription }: Connection): void {
    const attachment: Attachment = { host, openedMs, subscription: subscription?.snapshot() ?? null };
    socket.serializeAttachment(attachment);
  }

  /**
   * Says where the log ends to an agent whose cursor cannot tell: one that starts from now on, and one whose cursor
   * lies beyond the end, because it comes from a log that is no more.
   */
  #announceEnd(connection: Connection, after: number | null): void {
    const head = this.#options.head();
    if (after !== null && after <= head) return;
    this.#transmit(connection, `{"type":"signals","last":${head},"signals":[]}`);
  }

  #subscribe(connection: Connection, after: number | null, patterns: readonly string[]): void {
    // A cursor beyond the head is one from another log, or from before a restore: it starts at the head.
    const start = Math.min(after ?? this.#options.head(), this.#options.head());
    connection.subscription = new Subscription({ patterns, sent: start, pushed: start, seen: start });
    connection.behind = start < this.#options.head();
    this.#serve(connection);
  }

  #seen(connection: Connection, seq: number): void {
    const { subscription } = connection;
    if (subscription === undefined) return;
    subscription.acknowledge(seq);
    if (connection.behind) this.#serve(connection);
    else this.#attach(connection);
  }

  #serve(connection: Connection): void {
    const { subscription } = connection;
    if (subscription === undefined) return;
    while (connection.behind && subscription.hasCredit) {
      const stretch = this.#options.read(subscription.sent, subscription.wants, CATCH_UP);
      this.#send(connection, subscription, stretch.lines, stretch.through);
      connection.behind = subscription.sent < this.#options.head();
    }
    this.#attach(connection);
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
      this.#send(connection, subscription, subscription.wants(name) ? lines : [], through);
    } else if (names.every(subscription.wants)) this.#send(connection, subscription, lines, through);
    else
      this.#send(
        connection,
        subscription,
        lines.filter((line) => subscription.wants(lineName(line))),
        through,
      );
  }

  #send(connection: Connection, subscription: Subscription, lines: readonly string[], through: number): void {
    const lastLine = lines.at(-1);
    if (lastLine === undefined) return subscription.skipped(through);
    const last = lineSeq(lastLine);
    const frame = `{"type":"signals","last":${last},"signals":[${lines.join(",")}]}`;
    subscription.pushed(through, last, lines.length, frame.length);
    this.#transmit(connection, frame);
  }

  #append(connection: Connection, frame: Extract<AgentFrame, { type: "append" }>): void {
    const { producer, batch, first } = frame;
    if (connection.host === null) {
      return this.#refuse(
        connection,
        batch,
        problem("read-only", 403, "A stream only reads; append over a link or by POST"),
      );
    }
    const refusedFrom = connection.refused.get(producer);
    if (refusedFrom !== undefined && first > refusedFrom) {
      const detail = `the batch that begins at ${refusedFrom} was refused; send it again first`;
      return this.#refuse(connection, batch, problem("out-of-order", 503, "An earlier batch is missing", detail), 0);
    }
    const admitted = admitNumbered(frame);
    if (admitted.rejected.length > 0) {
      const at = connection.host;
      this.#options.bury(
        admitted.rejected.map(({ number, errors, signal }) => ({
          id: `${producer}.${number}`,
          kind: "signal",
          signal,
          error: errors.map((error) => `${error.pointer}: ${error.message}`).join("; "),
          daemon: `link/${at}`,
        })),
      );
    }
    const last = first + frame.signals.length - 1;
    let left = admitted.runs.length;
    if (left === 0) return this.#transmit(connection, appended(batch, producer, last, admitted.rejected));
    for (const run of admitted.runs) {
      this.#options.append(run, (outcome) => {
        if ("overloaded" in outcome) {
          if (!connection.refused.has(producer)) connection.refused.set(producer, first);
          left = Number.POSITIVE_INFINITY;
          const refusal = problem("overloaded", 503, "The log is overloaded", outcome.detail);
          return this.#refuse(connection, batch, refusal, outcome.retry_after_ms);
        }
        if (--left > 0) return;
        connection.refused.delete(producer);
        this.#transmit(connection, appended(batch, producer, last, admitted.rejected));
      });
    }
  }

  #passOver({ host }: Connection, type: string): void {
    const name = this.#unknown.note(type);
    if (name !== undefined)
      console.warn(
        `signal log: passing over frames of the type ${name}, as host ${host} sends them: is it newer than the edge?`,
      );
  }

  #letters(connection: Connection, { batch, letters }: Extract<AgentFrame, { type: "letters" }>): void {
    const { host } = connection;
    if (host === null)
      return this.#refuse(connection, null, problem("read-only", 403, "A stream only reads; letters come over a link"));
    // A host speaks for itself alone: it could otherwise change what is told of another.
    const foreign = letters.find(({ id }) => !id.startsWith(`${host}.`));
    if (foreign !== undefined) {
      const detail = `${foreign.id}: the id of a letter of this host begins with ${host}.`;
      return this.#refuse(connection, null, problem("foreign-letter", 403, "The letter is not of this host", detail));
    }
    this.#options.keep(letters.map((letter) => ({ ...letter, host }))).then(
      () => this.#transmit(connection, JSON.stringify({ type: "lettered", batch })),
      (error: unknown) => {
        // Not answered, so that they come again with the next connection.
        console.warn("signal log: letters of a host could not be kept", host, String(error));
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
      // The other end went away between two events. It resumes from its own cursor: nothing is lost with the frame.
      this.close(connection.socket);
    }
  }
}
