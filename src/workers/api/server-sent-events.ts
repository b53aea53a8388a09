import { SignalsFrame } from "../../core/wire/link-frames.ts";
import type { SignalLogCalls } from "./objects.ts";
import { overloaded } from "./refusal.ts";

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
export async function streamEvents(log: SignalLogCalls, url: string, after: number): Promise<Response> {
  const upgraded = await log.fetch(url, { headers: { Upgrade: "websocket" } });
  const socket = upgraded.webSocket;
  if (socket === null) throw overloaded("The log did not open its stream. Try again.", 1000);
  const { readable, writable } = new IdentityTransformStream();
  void pump(socket, writable.getWriter(), after);
  return new Response(readable, {
    headers: { "Content-Type": "text/event-stream", "Cache-Control": "no-store", "X-Accel-Buffering": "no" },
  });
}

async function pump(socket: WebSocket, writer: WritableStreamDefaultWriter<Uint8Array>, after: number): Promise<void> {
  /** Frames in the order they came; each waits until the reader has taken the one before. */
  let taken: Promise<void> = Promise.resolve();
  let waiting = 0;
  const write = (text: string, then?: () => void) => {
    waiting += 1;
    taken = taken
      .then(() => writer.write(encoder.encode(text)))
      .then(() => {
        waiting -= 1;
        then?.();
      });
    taken.catch(close); // the reader has gone: nothing to tell, and nobody to tell it to
  };
  const keepAlive = setInterval(() => {
    if (waiting === 0) write(": keep-alive\n\n");
  }, KEEP_ALIVE_MS);
  let open = true;
  function close(): void {
    if (!open) return;
    open = false;
    clearInterval(keepAlive);
    socket.close(1000);
  }

  socket.addEventListener("message", ({ data }) => {
    if (!open) return;
    const frame = SignalsFrame.safeParse(typeof data === "string" ? JSON.parse(data) : undefined);
    if (!frame.success) return;
    const { last, signals } = frame.data;
    // A frame may end behind its last signal, when the log passed over some that nobody here asked for.
    const events = signals.map((signal) => `id: ${signal.seq}\ndata: ${JSON.stringify(signal)}\n\n`).join("");
    write(`${events}${signals.at(-1)?.seq === last ? "" : `id: ${last}\n\n`}`, () => {
      if (open) socket.send(JSON.stringify({ type: "seen", seq: last }));
    });
  });
  // The log's end has gone (it moved, or restarts): end the answer too, and the reader resumes by its last id.
  socket.addEventListener("close", () => {
    if (!open) return;
    close();
    void taken.then(() => writer.close()).catch(() => undefined); // the reader left first: both ends are closed
  });
  socket.accept();
  write(`retry: 1000\nid: ${after}\n\n`);
  await writer.closed.catch(() => undefined); // rejects when the reader goes away, which is how most streams end
  close();
}
