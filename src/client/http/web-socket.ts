import { WebSocket } from "ws";
import { authorisation, type Call, urlOf } from "./exchange.ts";
import { EdgeUnreachable, problemFrom } from "./problem-errors.ts";

/** A connection that answers no ping for so long is dead, even if the kernel keeps it open. */
const HEARTBEAT_MS = 20_000;
const MAX_FRAME_BYTES = 32 * 1024 * 1024;

export interface WebSocketOptions {
  /** Where the edge is. */
  readonly url: string;
  readonly token: string;
  /** From the root, its parts encoded. */
  readonly path: string;
  readonly query?: Call["query"];
  readonly protocol: string;
  /** @throws where the text is none of the protocol: the connection is then ended */
  readonly onMessage: (text: string) => void;
  /** Called once when a connection that was open is lost or closed. */
  readonly onClose: () => void;
}

/**
 * A WebSocket of the edge, with a heartbeat. It does not reconnect.
 *
 * @throws ApiProblem for a refusal, EdgeUnreachable where no edge answers
 */
export function openWebSocket(options: WebSocketOptions): Promise<WebSocket> {
  return new Promise((resolve, reject) => {
    const target = urlOf(options.url, options.path, options.query);
    target.protocol = target.protocol === "https:" ? "wss:" : "ws:";
    const socket = new WebSocket(target, [options.protocol], {
      headers: authorisation(options.token),
      perMessageDeflate: false,
      maxPayload: MAX_FRAME_BYTES,
      handshakeTimeout: HEARTBEAT_MS,
    });
    const stopHeartbeat = startHeartbeat(socket);
    let opened = false;
    socket.on("message", (data) => {
      try {
        options.onMessage(String(data));
      } catch {
        // The other end is of another protocol, or the connection is broken: a new one is opened.
        socket.terminate();
      }
    });
    socket.on("open", () => {
      opened = true;
      resolve(socket);
    });
    socket.on("unexpected-response", (request, response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("close", () => {
        const text = Buffer.concat(chunks).toString();
        reject(problemFrom(response.statusCode ?? 0, text, response.headers["retry-after"]));
        stopHeartbeat();
        request.destroy();
      });
    });
    // An error of an open connection is followed by "close", which reports it.
    socket.on("error", (error) => reject(new EdgeUnreachable(options.url, error)));
    socket.on("close", () => {
      stopHeartbeat();
      // A connection that never opened is reported by the rejection alone. If `onClose` was called as well, a worker would
      // reconnect twice, and each failure would double its connections, all of which get tasks when the queue is back.
      if (opened) options.onClose();
      else reject(new EdgeUnreachable(options.url, new Error("the connection closed before it was open")));
    });
  });
}

/** Sends pings, and ends a connection over which nothing arrived since the last one. */
function startHeartbeat(socket: WebSocket): () => void {
  let alive = true;
  const noteAlive = () => {
    alive = true;
  };
  socket.on("pong", noteAlive);
  socket.on("message", noteAlive);
  const timer = setInterval(() => {
    if (!alive) socket.terminate();
    alive = false;
    if (socket.readyState === WebSocket.OPEN) socket.ping();
  }, HEARTBEAT_MS);
  return () => clearInterval(timer);
}
