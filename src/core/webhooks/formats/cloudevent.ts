import { EVENT_TYPE } from "../../cloudevents/media-types.ts";
import { idOfIdentifier } from "../../cloudevents/names.ts";
import { type CloudEvent, eventText } from "../../cloudevents/write-event.ts";
import { isSignal } from "../../signals/signal-line.ts";
import type { RenderedMessage, WebhookContent } from "./message.ts";

/** One event in structured mode: the signal of the message, or, where a rule says what to send, that. */
export function cloudEventMessage(content: WebhookContent): RenderedMessage {
  const { data, id, type, timestamp, ecosystem, rule, cause } = content;
  const contentType = `${EVENT_TYPE}; charset=utf-8`;
  if (isSignal(data)) return { contentType, body: eventText(data) };
  const event: CloudEvent = {
    specversion: "1.0",
    id,
    source: `/ganglion/${ecosystem}${rule === undefined ? "" : `/policies/${rule}`}`,
    type,
    time: timestamp,
    datacontenttype: "application/json",
    ...(cause === undefined ? {} : { causationid: idOfIdentifier(cause) }),
    data,
  };
  return { contentType, body: JSON.stringify(event) };
}
