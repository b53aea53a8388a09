import { SignalsFrame } from "../../../core/wire/link-frames.ts";
import { overloaded } from "./refusal.ts";
import type { SocketHolder } from "./upgrade.ts";

// Also how long a reader who left may go unnoticed where nothing comes: the runtime sees it when it next writes.
const KEEP_ALIVE_MS = 15_000;
const encoder = new TextEncoder();

/**
 * Server-sent events from the log's own WebSocket. The log is told `seen` only when the reader has taken a frame, so its
 * credit window bounds what waits here, a slow reader is served from the log, and the object may sleep meanwhile.
 *
 * @param url - the log's stream, with `after` in it
 * @param after - the same place: sent ahead as an id, so that a reader who is cut off before the first signal resumes there
 * @see https://html.spec.whatwg.org/multipage/server-sent-events.html
 */
export async function streamEvents(log: SocketHolder, url: string, after: number): Promise<Response> {
  const upgraded = await log.fetch(url, { headers: { Upgrade: "websocket" } });
  const socket = upgraded.webSocket;
  if (socket === null) throw overloaded("The log did not open its stream. Try again.", 1000);
  return eventsOf(socket, `id: ${after}\n`, chunkOf);
}

/** What the reader gets of a frame. */
export interface Chunk {
  readonly text: string;
  /** What to tell the other end of the socket when the reader has taken it. */
  readonly seen?: string;
}

/**
 * The answer to a reader of events: what comes over the socket, at the reader's pace.
 *
 * @param opening - lines of the first, empty event
 * @param read - `undefined`: the frame is of a kind that is not passed on
 */
export function eventsOf(socket: WebSocket, opening: string, read: (text: string) => Chunk | undefined): Response {
  return new Response(streamOf(socket, opening, read), {
    headers: { "Content-Type": "text/event-stream", "Cache-Control": "no-store", "X-Accel-Buffering": "no" },
  });
}

function streamOf(
  socket: WebSocket,
  opening: string,
  read: (text: string) => Chunk | undefined,
): ReadableStream<Uint8Array> {
  const waiting: Chunk[] = [{ text: `retry: 1000\n${opening}\n` }];
  let ended = false;
  let wake: (() => void) | undefined;
  const add = (chunk: Chunk) => {
    waiting.push(chunk);
    wake?.();
  };
  const keepAlive = setInterval(() => {
    if (waiting.length === 0) add({ text: ": keep-alive\n\n" });
  }, KEEP_ALIVE_MS);
  const end = () => {
    ended = true;
    clearInterval(keepAlive);
    wake?.();
  };
  socket.addEventListener("message", ({ data }) => {
    const chunk = typeof data === "string" ? read(data) : undefined;
    if (chunk !== undefined) add(chunk);
  });
  // The log's end has gone (it moved, or restarts): end the answer too, and the reader resumes by its last id.
  socket.addEventListener("close", end);
  socket.accept();

  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        while (waiting.length === 0 && !ended) {
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
        }
        const chunk = waiting.shift();
        if (chunk === undefined) return controller.close();
        controller.enqueue(encoder.encode(chunk.text));
        if (chunk.seen !== undefined && !ended) socket.send(chunk.seen);
      },
      cancel() {
        // Whatever waits has no reader any more, and a pull that waits with it must not close a cancelled stream.
        waiting.length = 0;
        wake = undefined;
        end();
        socket.close(1000);
      },
    },
    // Nothing is pulled ahead: what is pulled has been asked for by the reader's connection, and counts as seen.
    { highWaterMark: 0 },
  );
}

function chunkOf(text: string): Chunk | undefined {
  const frame = SignalsFrame.safeParse(JSON.parse(text));
  if (!frame.success) return undefined; // a kind of frame that later versions may send
  const { last, signals } = frame.data;
  const events = signals.map((signal) => `id: ${signal.seq}\ndata: ${JSON.stringify(signal)}\n\n`).join("");
  const seen = JSON.stringify({ type: "seen", seq: last });
  // A frame may end behind its last signal, when the log passed over some that nobody here asked for.
  return { text: signals.at(-1)?.seq === last ? events : `${events}id: ${last}\n\n`, seen };
}
