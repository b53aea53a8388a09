import { authorisation, type Credential } from "../http/exchange.ts";
import { EdgeUnreachable, problemFrom } from "../http/problem-errors.ts";

/** The edge sends a comment every 15 seconds: after three missed comments, the connection is dead. */
const SILENCE_MS = 45_000;

/** One event: its fields by name. @see https://html.spec.whatwg.org/multipage/server-sent-events.html */
export type ServerSentEvent = ReadonlyMap<string, string>;

export interface ServerSentEvents extends AsyncIterable<ServerSentEvent> {
  /** May be called twice, and after the end. */
  close(): void;
}

/**
 * Opens a stream of server-sent events. Unlike the browser's own EventSource, `fetch` sends the token. The stream ends
 * with its connection; the reader opens the next one. Events that the reader does not take stay in the connection.
 *
 * @throws ApiProblem, EdgeUnreachable, or the reason of `signal`
 */
export async function openServerSentEvents(
  url: URL,
  token: Credential,
  { signal, headers = {} }: { signal?: AbortSignal | undefined; headers?: Record<string, string> } = {},
): Promise<ServerSentEvents> {
  const closing = new AbortController();
  const abort = () => closing.abort();
  signal?.addEventListener("abort", abort, { once: true });
  const response = await fetch(url, {
    headers: { ...authorisation(token), Accept: "text/event-stream", ...headers },
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
          for (const event of events) yield fieldsOf(event);
          silence = setTimeout(abort, SILENCE_MS);
        }
      } catch {
        // The connection broke, or was closed here: either way this stream has ended, and its reader resumes.
      } finally {
        clearTimeout(silence);
        signal?.removeEventListener("abort", abort);
      }
    },
    close: abort,
  };
}

function fieldsOf(event: string): ServerSentEvent {
  return new Map(event.split("\n").map((line) => line.split(/: ?(.*)/s, 2) as [string, string]));
}
