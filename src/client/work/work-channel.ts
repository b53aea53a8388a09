import { WebSocket } from "ws";
import { messagesOf, type Unsendable } from "../../core/queue/frame-messages.ts";
import { readQueueMessage } from "../../core/queue/read-queue-message.ts";
import { type OutgoingWorkerFrame, type QueueFrame, WORK_PROTOCOL } from "../../core/queue/work-frames.ts";
import { authorisation, urlOf } from "../http/exchange.ts";
import { type ApiProblem, EdgeUnreachable, problemFrom } from "../http/problem-errors.ts";

/** A connection that answers no ping for so long is dead, even if the kernel keeps it open. */
const HEARTBEAT_MS = 20_000;
const MAX_FRAME_BYTES = 32 * 1024 * 1024;

/** Options of a channel, over a WebSocket or over HTTP. */
export interface WorkChannelOptions {
  readonly url: string;
  readonly token: string;
  readonly ecosystem: string;
  readonly queue: string;
  /** Name of the worker, for people; default: that of the token. */
  readonly worker?: string | undefined;
  readonly onFrame: (frame: QueueFrame) => void;
  /** Called with a frame that can never be sent, because it is too large or no JSON. It was not sent, its neighbours were. */
  readonly onUnsendable: (unsendable: Unsendable) => void;
  /** Called once when an open channel is lost, with the refusal where the queue refused what the channel is for. */
  readonly onClose: (refusal?: ApiProblem) => void;
}

/** One connection to a queue. It does not reconnect: its opener knows which frames have to be sent again. */
export interface WorkChannel {
  /** Frames of one turn go out as one message, or as several where the queue would not take them in one. */
  send(frame: OutgoingWorkerFrame): void;
  /** Resolves when no more tasks can arrive, after `ready` with `credit: 0`. */
  drained(): Promise<void>;
  /** Closes the channel. The queue releases at once the tasks that this end holds. */
  close(): void;
}

/** @throws ApiProblem for a refusal, EdgeUnreachable where no edge answers */
export function openWorkChannel(options: WorkChannelOptions): Promise<WorkChannel> {
  return new Promise((resolve, reject) => {
    const path = `/v1/${encodeURIComponent(options.ecosystem)}/queues/${encodeURIComponent(options.queue)}/work`;
    const target = urlOf(options.url, path, options.worker === undefined ? {} : { worker: options.worker });
    target.protocol = target.protocol === "https:" ? "wss:" : "ws:";
    const socket = new WebSocket(target, [WORK_PROTOCOL], {
      headers: authorisation(options.token),
      perMessageDeflate: false,
      maxPayload: MAX_FRAME_BYTES,
      handshakeTimeout: HEARTBEAT_MS,
    });
    const stopHeartbeat = startHeartbeat(socket);
    let opened = false;
    socket.on("message", (data) => {
      for (const frame of readMessage(socket, String(data))) options.onFrame(frame);
    });
    socket.on("open", () => {
      opened = true;
      resolve(channelOver(socket, options.onUnsendable));
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
    // An error of an open channel is followed by "close", which reports it.
    socket.on("error", (error) => reject(new EdgeUnreachable(options.url, error)));
    socket.on("close", () => {
      stopHeartbeat();
      // A channel that never opened is reported by the rejection alone. If `onClose` was called as well, a worker would
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

function readMessage(socket: WebSocket, text: string): readonly QueueFrame[] {
  try {
    return readQueueMessage(text);
  } catch {
    // The other end is no queue, or the connection is broken: a new one is opened.
    socket.terminate();
    return [];
  }
}

function channelOver(socket: WebSocket, onUnsendable: WorkChannelOptions["onUnsendable"]): WorkChannel {
  let frames: OutgoingWorkerFrame[] = [];
  const flush = () => {
    const turn = frames;
    frames = [];
    // After the connection was lost frames are dropped. What matters is sent again over the next one.
    if (socket.readyState !== WebSocket.OPEN) return;
    const { messages, unsendable } = messagesOf(turn);
    for (const message of messages) socket.send(message);
    unsendable.forEach(onUnsendable);
  };
  return {
    send: (frame) => {
      if (frames.push(frame) === 1) setImmediate(flush);
    },
    // Tasks that arrive later are released by their receiver.
    drained: () => Promise.resolve(),
    close: () => {
      flush();
      socket.close(1000);
    },
  };
}
