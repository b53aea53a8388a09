import { WebSocket } from "ws";
import { pruneDeep } from "../../core/json/prune-deep.ts";
import { Acknowledger } from "../../core/signals/log/acknowledger.ts";
import { AcknowledgeFrame } from "../../core/wire/link-frames.ts";
import { authorisation } from "../http/exchange.ts";
import { EdgeUnreachable, problemFrom } from "../http/problem-errors.ts";
import { PushIterable } from "./push-iterable.ts";
import type { Batch, OpenSource } from "./signal-source.ts";

/** A connection on which no answer came for this long is dead, even if the kernel still holds it open. */
const HEARTBEAT_MS = 20_000;
const MAX_FRAME_BYTES = 32 * 1024 * 1024;

/** The stream over a WebSocket, for Node: a browser cannot send a token with an upgrade. */
export const openSocketSource: OpenSource = (url, token, signal) =>
  new Promise((resolve, reject) => {
    const target = new URL(url);
    target.protocol = url.protocol === "https:" ? "wss:" : "ws:";
    const socket = new WebSocket(target, {
      headers: { ...authorisation(token), "Ganglion-Acknowledge": "on-request" },
      perMessageDeflate: false,
      maxPayload: MAX_FRAME_BYTES,
      handshakeTimeout: HEARTBEAT_MS,
    });
    const batches = new PushIterable<Batch>();
    const abort = () => socket.terminate();
    signal?.addEventListener("abort", abort, { once: true });
    const acknowledger = new Acknowledger({
      send: (seq) => socket.send(JSON.stringify({ type: "seen", seq })),
      later: (ms, run) => {
        const timer = setTimeout(run, ms);
        return () => clearTimeout(timer);
      },
    });
    let answered = true;
    const heartbeat = setInterval(() => {
      if (!answered) socket.terminate();
      answered = false;
      if (socket.readyState === WebSocket.OPEN) socket.ping();
    }, HEARTBEAT_MS);

    socket.on("open", () =>
      resolve({
        [Symbol.asyncIterator]: () => batches[Symbol.asyncIterator](),
        handled: ({ last, signals, bytes = 0 }) => {
          // After a close no acknowledgement can be sent; the next connection starts behind the last handled signal.
          if (socket.readyState === WebSocket.OPEN) acknowledger.handled(last, signals.length, bytes);
        },
        close: () => {
          if (socket.readyState === WebSocket.OPEN) acknowledger.flush();
          socket.close(1000);
        },
      }),
    );
    socket.on("pong", () => {
      answered = true;
    });
    socket.on("message", (data) => {
      answered = true;
      const frame = readFrame(String(data));
      if (frame === undefined) return;
      if ("acknowledge" in frame) acknowledger.request(frame.acknowledge);
      else batches.push(frame);
    });
    socket.on("unexpected-response", (request, response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("close", () => {
        reject(
          problemFrom(response.statusCode ?? 0, Buffer.concat(chunks).toString(), response.headers["retry-after"]),
        );
        request.destroy();
        settle();
      });
    });
    socket.on("error", (error) => {
      // Once the source is open, "close" follows and ends it.
      reject(signal?.aborted === true ? signal.reason : new EdgeUnreachable(url.href, error));
    });
    socket.on("close", settle);

    function settle(): void {
      clearInterval(heartbeat);
      acknowledger.end();
      signal?.removeEventListener("abort", abort);
      batches.end();
    }
  });

function readFrame(text: string): Batch | { readonly acknowledge: number } | undefined {
  const frame: unknown = JSON.parse(text);
  const { type, last, signals } = frame as Partial<Batch> & { type?: unknown };
  const request = type === "acknowledge" ? AcknowledgeFrame.safeParse(frame) : undefined;
  if (request?.success === true) return { acknowledge: request.data.last };
  // Frames of other kinds may come with later versions of the edge.
  if (type !== "signals" || typeof last !== "number" || !Array.isArray(signals)) return undefined;
  // Whoever prints a signal, or passes it on, must not meet one from before its depth was limited.
  for (const one of signals) pruneDeep(one);
  return { last, signals, bytes: text.length };
}
