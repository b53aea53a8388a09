import type { Signal } from "../../core/signals/signal.ts";
import { openServerSentEvents, type ServerSentEvent } from "./server-sent-events.ts";
import type { Batch, OpenSource } from "./signal-source.ts";

/** The log's stream as server-sent events, for browsers: with a WebSocket they could not send the token. */
export const openEventSource: OpenSource = async (url, token, signal) => {
  const events = await openServerSentEvents(url, token, { signal });
  return {
    async *[Symbol.asyncIterator]() {
      for await (const event of events) {
        const batch = batchOf(event);
        if (batch !== undefined) yield batch;
      }
    },
    seen: () => undefined, // the edge sees what was taken from the connection
    close: events.close,
  };
};

/** An event holds a signal, or an id alone that moves the place. */
function batchOf(event: ServerSentEvent): Batch | undefined {
  const last = Number(event.get("id") || Number.NaN);
  if (Number.isNaN(last)) return undefined;
  const data = event.get("data");
  return { last, signals: data === undefined ? [] : [JSON.parse(data) as Signal] };
}
