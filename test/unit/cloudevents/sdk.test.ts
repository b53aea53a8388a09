import { CloudEvent, HTTP } from "cloudevents";
import { describe, expect, it } from "vitest";
import { readHeaders } from "../../../src/core/cloudevents/binary-headers.ts";
import { BATCH_TYPE, EVENT_TYPE } from "../../../src/core/cloudevents/media-types.ts";
import { placeOf, readEvent, readStructuredEvent } from "../../../src/core/cloudevents/read-event.ts";
import { eventText } from "../../../src/core/cloudevents/write-event.ts";
import type { Admission } from "../../../src/core/signals/admit.ts";
import { readSignalLine, signalLine } from "../../../src/core/signals/signal-line.ts";
import { formatTimestamp } from "../../../src/core/signals/timestamp.ts";

const sent = [
  { id: "1", source: "/ci/site", type: "com.example.built", data: { n: 1, deep: [{ a: null }] } },
  { id: "a/b", source: "https://example.com/x", type: "https://example.com/type", data: { s: "text" } },
  {
    id: "3",
    source: "urn:x",
    type: "t",
    time: "2026-01-31T12:00:00.123Z",
    subject: "s",
    dataschema: "https://e.com/s",
    ext: "e",
    data: {},
  },
].map((event: object) => new CloudEvent<unknown>({ datacontenttype: "application/json", ...event }));

function logged(admission: Admission): string {
  if (!admission.ok) throw new Error(JSON.stringify(admission.errors));
  const { signal } = admission;
  const received = "2026-01-31T12:00:00.000Z";
  const time = signal.timestampMs === undefined ? received : formatTimestamp(signal.timestampMs);
  return eventText(readSignalLine(signalLine(7, signal.id ?? "", signal, "default", time, received)));
}

/** What an event of the SDK says, without what the edge adds. */
const said = (event: unknown) => {
  const all = JSON.parse(JSON.stringify(event)) as Record<string, unknown>;
  return Object.fromEntries(Object.entries(all).filter(([name]) => !name.startsWith("ganglion")));
};

describe("an event of the CloudEvents SDK", () => {
  it.each(sent)("is the same event again, from either mode ($type)", (event) => {
    const { headers, body } = HTTP.binary(event);
    const reading = readHeaders(
      Object.entries(headers).map(([name, value]) => [name.toLowerCase(), String(value)] as const),
    );
    if (!reading.ok) throw new Error(JSON.stringify(reading.errors));
    const binary = readEvent(reading.attributes, { is: "json", value: JSON.parse(String(body)) }, placeOf(""));
    const structured = readStructuredEvent(JSON.parse(String(HTTP.structured(event).body)));
    for (const admission of [binary, structured]) {
      const back = HTTP.toEvent({
        headers: { "content-type": `${EVENT_TYPE}; charset=utf-8` },
        body: logged(admission),
      });
      expect(said(back)).toEqual(said(event));
    }
  });

  it("comes in a batch that the SDK reads", () => {
    const texts = sent.map((event) => logged(readStructuredEvent(JSON.parse(String(HTTP.structured(event).body)))));
    const back = HTTP.toEvent({ headers: { "content-type": BATCH_TYPE }, body: `[${texts.join(",")}]` });
    expect([back].flat().map(said)).toEqual(sent.map(said));
  });
});
