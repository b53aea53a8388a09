import { BATCH_TYPE, EVENT_TYPE } from "../../../core/cloudevents/media-types.ts";
import { eventText } from "../../../core/cloudevents/write-event.ts";
import { writeJson } from "../../../core/json/write-json.ts";
import { isSignal } from "../../../core/signals/signal-line.ts";
import { SignalsFrame } from "../../../core/wire/link-frames.ts";
import { accepts } from "../http/accept.ts";
import { type SignalWriter, socketOf } from "../http/server-sent-events.ts";
import type { SocketHolder } from "../http/upgrade.ts";

/** @see https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/bindings/websockets-protocol-binding.md */
export const EVENT_SUBPROTOCOL = "cloudevents.json";

/** Whether a reader of the stream asks for CloudEvents. Browsers set no Accept for a WebSocket, and a subprotocol instead. */
export function wantsEvents({ headers }: Request): boolean {
  if (accepts(headers.get("accept") ?? undefined, [EVENT_TYPE, BATCH_TYPE])) return true;
  const protocols = headers.get("sec-websocket-protocol") ?? "";
  return protocols.split(",").some((protocol) => protocol.trim() === EVENT_SUBPROTOCOL);
}

/** A signal of the log's stream as an event, in structured mode. */
export const writeEvent: SignalWriter = (signal) => (isSignal(signal) ? eventText(signal) : writeJson(signal));

/** Codes that an end of a WebSocket may close with; those that the runtime reports itself are not among them. */
const mayClose = (code: number): boolean => code === 1000 || (code >= 1007 && code <= 1014) || code >= 3000;

/**
 * A WebSocket on which each message is one event. What the reader acknowledges goes through to the log, so the reader's
 * credit bounds what is under way here as it does on the log's own stream.
 */
export async function eventSocket(log: SocketHolder, url: string): Promise<Response> {
  const source = await socketOf(log, url, "The log");
  const { 0: client, 1: reader } = new WebSocketPair();
  source.addEventListener("message", ({ data }) => {
    const frame = typeof data === "string" ? SignalsFrame.safeParse(JSON.parse(data)) : undefined;
    if (frame?.success !== true) return; // later versions may send frames of other types
    const { last, signals } = frame.data;
    for (const signal of signals) reader.send(writeEvent(signal));
    // The reader learns nothing of signals that its patterns leave out.
    if (signals.length === 0) source.send(JSON.stringify({ type: "seen", seq: last }));
  });
  reader.addEventListener("message", ({ data }) => source.send(data));
  for (const [from, to] of [
    [source, reader],
    [reader, source],
  ] as const)
    from.addEventListener("close", ({ code, reason }) => {
      if (mayClose(code)) to.close(code, reason);
      else to.close(1000);
    });
  reader.accept();
  source.accept();
  return new Response(null, {
    status: 101,
    webSocket: client,
    headers: { "Sec-WebSocket-Protocol": EVENT_SUBPROTOCOL },
  });
}
