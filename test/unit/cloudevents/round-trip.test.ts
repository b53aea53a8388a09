import { describe, expect, it } from "vitest";
import { readStructuredEvent } from "../../../src/core/cloudevents/read-event.ts";
import { eventOf } from "../../../src/core/cloudevents/write-event.ts";
import type { Admission } from "../../../src/core/signals/admit.ts";
import { readSignalLine, signalLine } from "../../../src/core/signals/signal-line.ts";
import { formatTimestamp } from "../../../src/core/signals/timestamp.ts";
import fc from "../../fast-check.ts";

const RECEIVED = "2026-01-31T12:00:00.000Z";

/** The signal as the log gives it. */
function logged(admission: Admission) {
  if (!admission.ok) throw new Error(JSON.stringify(admission.errors));
  const { signal } = admission;
  const time = signal.timestampMs === undefined ? RECEIVED : formatTimestamp(signal.timestampMs);
  return readSignalLine(signalLine(7, signal.id ?? "s7.abcdef", signal, "default", time, RECEIVED));
}

/** What the edge adds to an event. */
function withoutOwn(event: Readonly<Record<string, unknown>>) {
  const { ganglionseq, ganglionecosystem, ganglionreceived, gangliondepth, ...own } = event;
  expect([ganglionseq, ganglionecosystem, ganglionreceived]).toEqual(["7", "default", RECEIVED]);
  return own;
}

const text = fc.string({ unit: "grapheme-composite", minLength: 1, maxLength: 20 }).filter((it) => !/\p{Cc}/u.test(it));
const uri = fc.constantFrom(
  "/my/context",
  "https://example.com/a?b=c#d",
  "urn:uuid:1",
  "gpu-01",
  "mailto:a@b.c",
  "%41",
);
const json = fc.jsonValue({ maxDepth: 4 }).filter((value) => !JSON.stringify(value).includes("__proto__"));
const data = fc.oneof(
  json.map((value) => ({ data: value })),
  fc.uint8Array({ maxLength: 30 }).map((bytes) => ({ data_base64: btoa(String.fromCharCode(...bytes)) })),
  fc.constant({}),
);
const optional = fc.record(
  {
    subject: text,
    dataschema: fc.constant("https://example.com/schema"),
    datacontenttype: fc.constantFrom("text/plain", "application/json; charset=utf-8", "application/vnd.x+json"),
    correlationid: text,
    causationid: text,
    traceparent: fc.constant("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"),
    flag: fc.boolean(),
    count: fc.integer(),
    partitionkey: text,
  },
  { requiredKeys: [] },
);
const event = fc
  .tuple(fc.record({ id: text, source: uri, type: text }), optional, data)
  .map(([required, more, content]) => ({
    specversion: "1.0",
    time: "2018-04-05T03:56:24.123456Z",
    ...(more.datacontenttype === undefined && !("data" in content) ? {} : { datacontenttype: "application/json" }),
    ...required,
    ...more,
    ...content,
  }))
  .map((made) => {
    // Bytes without a content type have none that goes without saying.
    if (!("data" in made) && made.datacontenttype === "application/json") return { ...made, datacontenttype: "x/y" };
    return made;
  })
  .filter(({ type }) => !/^[A-Z_]+$/.test(type));

describe("an event that becomes a signal and an event again", () => {
  it("is the same event, whatever its attributes and its data", () => {
    fc.assert(
      fc.property(event, (sent) => {
        const admission = readStructuredEvent(sent);
        const back = JSON.parse(JSON.stringify(eventOf(logged(admission))));
        expect(withoutOwn(back)).toEqual(JSON.parse(JSON.stringify(sent)));
        // And it is the same signal when it comes in again.
        expect(readStructuredEvent(back)).toEqual(admission);
      }),
    );
  });

  it("names no type, and keeps every fact, of a signal whose facts have a _ce of their own", () => {
    const line = (facts: object) =>
      readSignalLine(
        signalLine(7, "x", { ...nothing, factsJson: JSON.stringify(facts) }, "default", RECEIVED, RECEIVED),
      );
    for (const facts of [
      { _ce: 1 },
      { _ce: { my_own: 1 }, a: 1 },
      { _ce: { data_is: "value" }, a: 1 },
      { _ce: { id: "x" } },
    ])
      expect(eventOf(line(facts)).data).toEqual(facts);
    expect(eventOf(line({ _ce: { type: "com.other" }, a: 1 }))).toMatchObject({ type: "X", data: { a: 1 } });
  });

  it("has a source that is a URI reference, whatever the source of the signal", () => {
    const named = (source: string) =>
      eventOf(readSignalLine(signalLine(7, "x", { ...nothing, source }, "default", RECEIVED, RECEIVED))).source;
    expect(["my host", "größe", "50%", "a%20b", 'x"<y>'].map(named)).toEqual([
      "my%20host",
      "gr%C3%B6%C3%9Fe",
      "50%25",
      "a%20b",
      "x%22%3Cy%3E",
    ]);
  });
});

const nothing = {
  id: "x",
  signal: "X",
  source: "test",
  timestampMs: undefined,
  factsJson: "{}",
  cause: undefined,
  trace: undefined,
  depth: undefined,
};
