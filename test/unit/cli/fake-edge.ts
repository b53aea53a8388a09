import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { onTestFinished } from "vitest";
import { type WebSocket, WebSocketServer } from "ws";

export interface Received {
  readonly method: string;
  readonly url: URL;
  readonly authorization: string | undefined;
  readonly body: unknown;
  readonly idempotencyKey?: string | undefined;
}
export type Answer = readonly [status: number, body: unknown, headers?: Record<string, string>];

export interface FakeEdge {
  readonly url: string;
  readonly received: Received[];
  /** Waits for the next stream that is opened. */
  nextStream(): Promise<Stream>;
  /** May be called twice. */
  stop(): Promise<void>;
}

export interface Stream {
  readonly url: URL;
  readonly authorization: string | undefined;
  send(frame: unknown): void;
  /** Waits for the next frame of the other end. */
  next(): Promise<unknown>;
  /** Breaks the connection without a close frame. */
  break(): void;
  readonly closed: Promise<void>;
}

/** A real HTTP and WebSocket server that answers as the test says, and records the requests. */
export async function startEdge(answer: (request: Received) => Answer = () => [404, {}]): Promise<FakeEdge> {
  const received: Received[] = [];
  const streams = queue<Stream>();
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const text = Buffer.concat(chunks).toString();
    const { "idempotency-key": key } = request.headers;
    const idempotencyKey = typeof key === "string" ? key : undefined;
    const body = text === "" ? undefined : JSON.parse(text);
    const one = { ...head(request), method: request.method ?? "", body, idempotencyKey };
    received.push(one);
    const [status, answered, headers] = answer(one);
    response.writeHead(status, { "Content-Type": "application/json", ...headers });
    response.end(status === 204 ? undefined : JSON.stringify(answered));
  });
  const sockets = new WebSocketServer({ server });
  sockets.on("connection", (socket, request) => streams.push(streamOf(socket, request)));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const stop = () =>
    new Promise<void>((resolve) => {
      for (const client of sockets.clients) client.terminate();
      server.close(() => resolve());
      server.closeAllConnections();
    });
  onTestFinished(stop);
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    received,
    nextStream: streams.next,
    stop,
  };
}

function streamOf(socket: WebSocket, request: IncomingMessage): Stream {
  const frames = queue<unknown>();
  socket.on("message", (data) => frames.push(JSON.parse(String(data))));
  return {
    ...head(request),
    send: (frame) => socket.send(JSON.stringify(frame)),
    next: frames.next,
    break: () => socket.terminate(),
    closed: new Promise((resolve) => socket.once("close", () => resolve())),
  };
}

function head(request: IncomingMessage) {
  return { url: new URL(request.url ?? "/", "http://edge"), authorization: request.headers.authorization };
}

function queue<Item>() {
  const items: Item[] = [];
  const waiting: ((item: Item) => void)[] = [];
  return {
    push: (item: Item) => {
      const wake = waiting.shift();
      if (wake === undefined) items.push(item);
      else wake(item);
    },
    next: (): Promise<Item> => {
      const item = items.shift();
      return item === undefined ? new Promise((resolve) => waiting.push(resolve)) : Promise.resolve(item);
    },
  };
}
