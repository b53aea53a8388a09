import type { Signal } from "../core/signals/signal.ts";
import { EdgeUnreachable, problemFrom } from "./problem-errors.ts";
import { authorisation } from "./request.ts";
import type { Batch, OpenSource } from "./signal-source.ts";

/** The edge sends a comment every 15 seconds: after three it missed, the connection is dead. */
const SILENCE_MS = 45_000;

/**
 * The stream as server-sent events, for browsers: unlike a WebSocket, and unlike the browser's own EventSource, `fetch`
 * sends the token. What the reader does not take stays in the connection, and so with the edge.
 */
export const openEventSource: OpenSource = async (url, token, signal) => {
  const closing = new AbortController();
  const abort = () => closing.abort();
  signal?.addEventListener("abort", abort, { once: true });
  const response = await fetch(url, {
    headers: { ...authorisation(token), Accept: "text/event-stream" },
    signal: closing.signal,
  }).catch((error: unknown) => {
    throw signal?.aborted === true ? signal.reason : new EdgeUnreachable(url.href, error);
  });
  if (!response.ok || response.body === null) {
    throw problemFrom(response.status, await response.text(), response.headers.get("retry-after"));
  }
  const chunks = response.body.pipeThrough(new TextDecoderStream());
  return {
    async *[Symbol.asyncIterator]() {
      let silence = setTimeout(abort, SILENCE_MS);
      let text = "";
      try {
        for await (const chunk of chunks) {
          clearTimeout(silence);
          text += chunk;
          const events = text.split("\n\n");
          text = events.pop() ?? "";
          for (const event of events) {
            const batch = batchOf(event);
            if (batch !== undefined) yield batch;
          }
          silence = setTimeout(abort, SILENCE_MS);
        }
      } catch {
        // The connection broke, or was closed here: either way this source has ended, and its reader resumes.
      } finally {
        clearTimeout(silence);
        signal?.removeEventListener("abort", abort);
      }
    },
    seen: () => undefined, // the edge sees what was taken from the connection
    close: abort,
  };
};

/** One event: `id` and `data`, or an id alone that moves the place. @see https://html.spec.whatwg.org/multipage/server-sent-events.html */
function batchOf(event: string): Batch | undefined {
  const fields = new Map(event.split("\n").map((line) => line.split(/: ?(.*)/s, 2) as [string, string]));
  const last = Number(fields.get("id") || Number.NaN);
  if (Number.isNaN(last)) return undefined;
  const data = fields.get("data");
  return { last, signals: data === undefined ? [] : [JSON.parse(data) as Signal] };
}
