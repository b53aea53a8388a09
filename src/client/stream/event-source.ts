import { pruneDeep } from "../../core/json/prune-deep.ts";
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
    handled: () => undefined, // the flow control of the HTTP connection replaces acknowledgements
    close: events.close,
  };
};

/** An event holds a signal, or only an id that moves the cursor. */
function batchOf(event: ServerSentEvent): Batch | undefined {
  const last = Number(event.get("id") || Number.NaN);
  if (Number.isNaN(last)) return undefined;
  const data = event.get("data");
  return { last, signals: data === undefined ? [] : [readSignal(data)] };
}

/** Checks the sequence number, by which a reader resumes; the edge wrote the other fields. */
function readSignal(data: string): Signal {
  const signal: unknown = JSON.parse(data);
  if (!isNumbered(signal)) throw new TypeError("an event of the stream is not a signal");
  return pruneDeep(signal);
}

function isNumbered(value: unknown): value is Signal {
  return typeof value === "object" && value !== null && "seq" in value && typeof value.seq === "number";
}
