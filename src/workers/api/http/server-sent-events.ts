import { UNAUTHENTICATED } from "../../../core/access/unauthenticated.ts";
import { writeJson } from "../../../core/json/write-json.ts";
import { Problem } from "../../../core/problem/problem.ts";
import { SignalsFrame } from "../../../core/wire/link-frames.ts";
import { overloaded, Refusal, unauthenticated } from "./refusal.ts";
import type { SocketHolder } from "./upgrade.ts";

// A reader who left a quiet stream is noticed at the next write, so this is also how long that may take.
const KEEP_ALIVE_MS = 15_000;
/** What had come when the log's end closed is there for the reader for so long; then the connection is broken off. */
const LAST_READ_MS = 10_000;
/**
 * The other end closes with these codes where the reader takes nothing, and where its token was deleted or has expired.
 *
 * @see RFC 6455, section 7.4
 */
const CUT_OFF: ReadonlySet<number> = new Set([1013, 1008]);
const encoder = new TextEncoder();

/** Writes a signal of the log's stream as its reader wants it, on one line. */
export type SignalWriter = (signal: Record<string, unknown>) => string;

/**
 * Server-sent events from the log's own WebSocket. `seen` is sent to the log only when the reader has taken a frame, so the
 * credit window bounds the frames that wait here, a slow reader is served from the log, and the object may hibernate
 * meanwhile.
 *
 * @param url - the log's stream, with `after` in its query
 * @param after - the same sequence number: sent first as an id, so that a reader who is cut off before the first signal resumes there
 * @see https://html.spec.whatwg.org/multipage/server-sent-events.html
 */
export async function streamEvents(
  log: SocketHolder,
  url: string,
  after: number,
  write: SignalWriter = writeJson,
): Promise<Response> {
  return eventsOf(await socketOf(log, url, "The log"), `id: ${after}\n`, (text) => chunkOf(text, write));
}

/**
 * Opens a socket of an object that sends events.
 *
 * @param what - names the object, for people
 */
export async function socketOf(holder: SocketHolder, url: string, what: string): Promise<WebSocket> {
  const answer = await holder.fetch(url, { headers: { Upgrade: "websocket" } });
  const { webSocket, status, headers } = answer;
  if (status === UNAUTHENTICATED.status) throw unauthenticated();
  if (status === 429)
    throw new Refusal(Problem.parse(await answer.json()), { "Retry-After": headers.get("Retry-After") ?? "60" });
  if (webSocket === null) throw overloaded(`${what} did not open its stream. Try again.`, 1_000);
  return webSocket;
}

/** The text that a reader gets for a frame. */
export interface Chunk {
  readonly text: string;
  /** Sent back over the socket when the reader has taken the text. */
  readonly seen?: string;
}

/**
 * The answer to a reader of events: the frames of the socket as events, at the reader's pace.
 *
 * @param opening - lines of the first, empty event
 * @param read - returns `undefined` for a frame that is not passed on
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
  let controller: ReadableStreamDefaultController<Uint8Array> | undefined;
  let breakOff: ReturnType<typeof setTimeout> | null = null;
  const end = () => {
    ended = true;
    clearInterval(keepAlive);
    wake?.();
  };
  socket.addEventListener("message", ({ data }) => {
    const chunk = typeof data === "string" ? read(data) : undefined;
    if (chunk !== undefined) add(chunk);
  });
  socket.addEventListener("close", ({ code, reason }) => {
    if (ended) return;
    // A reader that was cut off gets nothing more of what waits for it here, which is in the log, too. Otherwise the object
    // restarts or moved: the answer ends after what has come. In both cases the reader resumes from its last id.
    if (CUT_OFF.has(code)) waiting.splice(0, waiting.length, { text: `: cut off: ${reason}\n\n` });
    if (waiting.length > 0) {
      breakOff = setTimeout(() => {
        waiting.length = 0;
        controller?.error(new Error(`the reader took nothing: ${reason}`));
      }, LAST_READ_MS);
    }
    end();
  });
  socket.accept();

  return new ReadableStream<Uint8Array>(
    {
      start(started) {
        controller = started;
      },
      async pull() {
        while (waiting.length === 0 && !ended) {
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
        }
        const chunk = waiting.shift();
        if (chunk === undefined) {
          clearTimeout(breakOff);
          return controller?.close();
        }
        controller?.enqueue(encoder.encode(chunk.text));
        if (chunk.seen !== undefined && !ended) socket.send(chunk.seen);
      },
      cancel() {
        // Nobody reads the waiting chunks any more, and a pull that is pending must not close a cancelled stream.
        waiting.length = 0;
        wake = undefined;
        clearTimeout(breakOff);
        const open = !ended;
        end();
        if (open) socket.close(1000);
      },
    },
    // Nothing is pulled ahead: a pulled chunk was requested by the reader's connection and counts as seen.
    { highWaterMark: 0 },
  );
}

function chunkOf(text: string, write: SignalWriter): Chunk | undefined {
  const frame = SignalsFrame.safeParse(JSON.parse(text));
  if (!frame.success) return undefined; // later versions may send frames of other types
  const { last, signals } = frame.data;
  const events = signals.map((signal) => `id: ${signal.seq}\ndata: ${write(signal)}\n\n`).join("");
  const seen = JSON.stringify({ type: "seen", seq: last });
  // `last` lies behind the last signal where the log skipped signals that this subscription excludes.
  return { text: signals.at(-1)?.seq === last ? events : `${events}id: ${last}\n\n`, seen };
}
