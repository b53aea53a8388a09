import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { type WebSocket, WebSocketServer } from "ws";
import { compilePatterns, type Matcher } from "../../../src/core/signals/pattern.ts";
import {
  type AgentFrame,
  AgentFrame as AgentFrameSchema,
  LINK_PROTOCOL,
  PING,
  PONG,
} from "../../../src/core/wire/link-frames.ts";

export interface Kept {
  readonly seq: number;
  readonly id: string;
  readonly signal: string;
  readonly source: string;
  readonly timestamp: string;
  readonly facts: Record<string, unknown>;
  readonly cause?: string;
}

type Append = Extract<AgentFrame, { type: "append" }>;

/** What a test may do with an append before it is taken; `undefined`: nothing special. */
export type Interference = (append: Append, socket: WebSocket) => "ignore" | undefined | { refuse: object };

/**
 * An edge as the link sees one: a log in memory with idempotent producers, pushed to subscribers. It checks every
 * frame with the schema of the wire, so that a wrong frame fails the test.
 */
export class FakeEdge {
  readonly log: Kept[] = [];
  readonly upgrades: IncomingMessage[] = [];
  readonly statuses: Record<string, unknown>[] = [];
  readonly subscriptions: (number | null)[] = [];
  /** Of each subscription. */
  readonly patterns: string[][] = [];
  /** Number of the last subscription. */
  number = 0;
  readonly seen: number[] = [];
  readonly wrongFrames: string[] = [];
  token = "secret";
  /** Answers an upgrade with this status instead. */
  refuseUpgrade: { status: number; headers?: Record<string, string> } | undefined;
  interfere: Interference = () => undefined;
  answersPings = true;
  /** Refuses the next subscription. */
  refuseSubscription = false;
  /** After an answer was decided on, before it is sent. */
  beforeAnswer: (socket: WebSocket) => boolean = () => true;
  readonly #server: Server;
  readonly #sockets = new WebSocketServer({
    noServer: true,
    perMessageDeflate: false,
    handleProtocols: (offered) => (offered.has(LINK_PROTOCOL) ? LINK_PROTOCOL : false),
  });
  readonly #last = new Map<string, number>();
  readonly #refusing = new Map<WebSocket, Map<string, number>>();
  readonly #subscribers = new Map<WebSocket, { after: number; wants: Matcher }>();
  #waiting: { until: () => boolean; resolve: () => void }[] = [];

  private constructor() {
    this.#server = createServer();
    this.#server.on("upgrade", (request, socket, head) => this.#upgrade(request, socket as Socket, head));
  }

  static async listen(port = 0): Promise<FakeEdge> {
    const edge = new FakeEdge();
    await new Promise<void>((resolve) => edge.#server.listen(port, "127.0.0.1", resolve));
    return edge;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  get connections(): number {
    return this.#sockets.clients.size;
  }

  values(producer = ""): unknown[] {
    return this.log.filter(({ id }) => id.startsWith(producer)).map(({ facts }) => facts.value);
  }

  append(signal: string, facts: Record<string, unknown>, more: { id?: string } = {}): Kept {
    const kept = this.#keep({ signal, source: "edge", facts, ...more }, `edge-${this.log.length + 1}`);
    this.#push();
    return kept;
  }

  dropConnections(): void {
    for (const socket of this.#sockets.clients) socket.terminate();
  }

  sendToAll(text: string): void {
    for (const socket of this.#sockets.clients) socket.send(text);
  }

  /** Resolves when `until` holds; it is looked at whenever something arrived. */
  async when(until: () => boolean): Promise<void> {
    if (until()) return;
    await new Promise<void>((resolve) => this.#waiting.push({ until, resolve }));
  }

  async close(): Promise<void> {
    this.dropConnections();
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #upgrade(request: IncomingMessage, socket: Socket, head: Buffer): void {
    this.upgrades.push(request);
    const status = this.refuseUpgrade?.status ?? (request.headers.authorization === `Bearer ${this.token}` ? 101 : 401);
    if (status !== 101) {
      const headers = Object.entries(this.refuseUpgrade?.headers ?? {}).map(([name, value]) => `${name}: ${value}\r\n`);
      // An agent that is stopped meanwhile resets the connection.
      socket.on("error", () => undefined);
      socket.end(`HTTP/1.1 ${status} Refused\r\nconnection: close\r\ncontent-length: 0\r\n${headers.join("")}\r\n`);
      this.#look();
      return;
    }
    this.#sockets.handleUpgrade(request, socket, head, (ws) => {
      this.#refusing.set(ws, new Map());
      ws.on("message", (data) => this.#frame(ws, data.toString()));
      ws.on("close", () => {
        this.#subscribers.delete(ws);
        this.#look();
      });
      this.#look();
    });
  }

  #frame(ws: WebSocket, text: string): void {
    // Frames that came in one piece with the one at which the connection broke. To take them would be a jump forward
    // in the producer's numbers, over a batch that was never kept.
    if (ws.readyState !== ws.OPEN) return;
    if (text === PING) {
      if (this.answersPings) ws.send(PONG);
      return;
    }
    const parsed = AgentFrameSchema.safeParse(JSON.parse(text));
    if (!parsed.success || text.length > 1024 * 1024) {
      this.wrongFrames.push(text.slice(0, 1_000));
      return;
    }
    const frame = parsed.data;
    if (frame.type === "append") this.#append(ws, frame);
    if (frame.type === "status") this.statuses.push(frame);
    if (frame.type === "seen") this.seen.push(frame.seq);
    if (frame.type === "subscribe" && this.refuseSubscription) {
      this.refuseSubscription = false;
      const problem = { type: "/problems/too-many-subscriptions", title: "Too many subscriptions", status: 429 };
      ws.send(JSON.stringify({ type: "refused", batch: null, frame: "subscribe", problem, retry_after_ms: 60_000 }));
    } else if (frame.type === "subscribe") {
      this.subscriptions.push(frame.after);
      this.patterns.push(frame.signals);
      this.number = frame.number ?? 0;
      const head = this.log.at(-1)?.seq ?? 0;
      const after = Math.min(frame.after ?? head, head);
      if (frame.after === null || frame.after > head)
        ws.send(JSON.stringify({ type: "signals", last: head, signals: [] }));
      this.#subscribers.set(ws, { after, wants: compilePatterns(frame.signals) });
      this.#push();
    }
    this.#look();
  }

  #append(ws: WebSocket, frame: Append): void {
    const { batch, producer, first, signals } = frame;
    const answer = (body: object) => {
      if (this.beforeAnswer(ws)) ws.send(JSON.stringify(body));
    };
    const refusing = this.#refusing.get(ws);
    const refusedFirst = refusing?.get(producer);
    const what = this.interfere(frame, ws);
    if (what === "ignore") return;
    const problem = { type: "/problems/overloaded", title: "Busy", status: 503 };
    if (what !== undefined || (refusedFirst !== undefined && first > refusedFirst)) {
      refusing?.set(producer, Math.min(first, refusedFirst ?? first));
      answer({ type: "refused", batch, problem, ...(what === undefined ? {} : what.refuse) });
      return;
    }
    refusing?.delete(producer);
    signals.forEach((signal, index) => {
      if (first + index <= (this.#last.get(producer) ?? 0)) return;
      this.#last.set(producer, first + index);
      this.#keep(signal as Partial<Kept>, `${producer}.${first + index}`);
    });
    answer({
      type: "appended",
      batch,
      producer,
      last: Math.max(first + signals.length - 1, this.#last.get(producer) ?? 0),
    });
    this.#push();
  }

  #keep(signal: Partial<Kept>, id: string): Kept {
    const { signal: name = "", source = "", facts = {}, timestamp = new Date().toISOString() } = signal;
    const cause = signal.cause === undefined ? {} : { cause: signal.cause };
    const kept = { seq: this.log.length + 1, id: signal.id ?? id, signal: name, source, timestamp, facts, ...cause };
    this.log.push(kept);
    return kept;
  }

  #push(): void {
    for (const [ws, subscriber] of this.#subscribers) {
      const signals = this.log.slice(subscriber.after).filter(({ signal }) => subscriber.wants(signal));
      subscriber.after = this.log.length;
      if (signals.length > 0) ws.send(JSON.stringify({ type: "signals", last: subscriber.after, signals }));
    }
    this.#look();
  }

  #look(): void {
    this.#waiting = this.#waiting.filter(({ until, resolve }) => {
      if (!until()) return true;
      resolve();
      return false;
    });
  }
}
