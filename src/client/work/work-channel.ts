import { WebSocket } from "ws";
import { type QueueFrame, WORK_PROTOCOL } from "../../core/queue/work-frames.ts";
import { EdgeUnreachable, problemFrom } from "../http/problem-errors.ts";
import { authorisation, urlOf } from "../http/request.ts";

/** A connection that has not answered for so long is dead, whatever the kernel thinks of it. */
const HEARTBEAT_MS = 20_000;
const MAX_FRAME_BYTES = 32 * 1024 * 1024;

/** What a channel is opened to, whichever way. */
export interface WorkChannelOptions {
  readonly url: string;
  readonly token: string;
  readonly ecosystem: string;
  readonly queue: string;
  /** Name under which the worker is known; default: the token's. */
  readonly worker?: string | undefined;
  readonly onFrame: (frame: QueueFrame) => void;
  /** The channel was open and is not any more. */
  readonly onClose: () => void;
}

/** One connection to a queue. It does not come back by itself: whoever opened it knows what has to be said again. */
export interface WorkChannel {
  /** Frames of one turn go out as one message. */
  send(frame: object): void;
  /** Resolves when no more tasks can come, after `ready` said `credit: 0`. */
  drained(): Promise<void>;
  /** Says good-bye: what this end holds goes to others at once. */
  close(): void;
}

/** @throws ApiProblem for a refusal, EdgeUnreachable where nobody answers */
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
    let answered = true;
    let opened = false;
    const heartbeat = setInterval(() => {
      if (!answered) socket.terminate();
      answered = false;
      if (socket.readyState === WebSocket.OPEN) socket.ping();
    }, HEARTBEAT_MS);
    socket.on("pong", () => {
      answered = true;
    });
    socket.on("message", (data) => {
      answered = true;
      const message = JSON.parse(String(data)) as QueueFrame | QueueFrame[];
      for (const frame of Array.isArray(message) ? message : [message]) options.onFrame(frame);
    });
    socket.on("open", () => {
      opened = true;
      let frames: object[] = [];
      const flush = () => {
        // After a close there is nobody to tell; what was not said is said again on the next connection, or lapses.
        if (socket.readyState === WebSocket.OPEN && frames.length > 0) socket.send(JSON.stringify(frames));
        frames = [];
      };
      resolve({
        // An array even of one: it tells the queue that this end reads arrays too.
        send: (frame) => {
          if (frames.push(frame) === 1) setImmediate(flush);
        },
        // Tasks that were on their way are given back when they come.
        drained: () => Promise.resolve(),
        close: () => {
          flush();
          socket.close(1000);
        },
      });
    });
    socket.on("unexpected-response", (request, response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("close", () => {
        const text = Buffer.concat(chunks).toString();
        reject(problemFrom(response.statusCode ?? 0, text, response.headers["retry-after"]));
        clearInterval(heartbeat);
        request.destroy();
      });
    });
    // Once the channel is open, "close" follows and tells.
    socket.on("error", (error) => reject(new EdgeUnreachable(options.url, error)));
    socket.on("close", () => {
      clearInterval(heartbeat);
      // One that never opened is told of by the rejection alone. Told twice, a worker would try again twice, and each
      // failure would double its connections, all of which are given tasks when the queue is back.
      if (opened) options.onClose();
      else reject(new EdgeUnreachable(options.url, new Error("the connection closed before it was open")));
    });
  });
}
