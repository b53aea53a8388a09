import { describe, expect, it } from "vitest";
import { readHeaders } from "../../../src/core/cloudevents/binary-headers.ts";
import { type EventData, placeOf, readEvent, readStructuredEvent } from "../../../src/core/cloudevents/read-event.ts";
import type { Admission } from "../../../src/core/signals/admit.ts";

const event = { specversion: "1.0", id: "a-1", source: "/my/context", type: "com.github.push" };

/** The admitted signal with its facts read, and without what it does not have. */
function signalOf(admission: Admission) {
  if (!admission.ok) throw new Error(JSON.stringify(admission.errors));
  const { factsJson, ...fields } = admission.signal;
  const there = Object.entries({ ...fields, facts: JSON.parse(factsJson) }).filter(([, value]) => value !== undefined);
  return Object.fromEntries(there);
}

const errorsOf = (admission: Admission) => (admission.ok ? [] : admission.errors);

describe("an event in structured mode", () => {
  it("is the signal of its type, with its id, source, time, trace and cause", () => {
    const traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    const more = {
      time: "2018-04-05T17:31:00+02:00",
      traceparent,
      causationid: "a-0",
      datacontenttype: "application/json",
    };
    expect(signalOf(readStructuredEvent({ ...event, ...more, data: { n: 1 } }))).toEqual({
      signal: "com.github.push",
      id: "a-1",
      source: "/my/context",
      timestampMs: Date.parse("2018-04-05T15:31:00Z"),
      trace: traceparent,
      cause: "a-0",
      facts: { n: 1 },
    });
  });

  it.each<[string, object, object]>([
    ["an object", { data: { n: 1 } }, { n: 1 }],
    ["a text", { data: "hello" }, { data: "hello", _ce: { data_is: "value" } }],
    ["a number", { data: 4.5 }, { data: 4.5, _ce: { data_is: "value" } }],
    ["a list", { data: [1, { a: 2 }] }, { data: [1, { a: 2 }], _ce: { data_is: "value" } }],
    ["null", { data: null }, { data: null, _ce: { data_is: "value" } }],
    ["bytes", { data_base64: "AP8=" }, { data: "AP8=", _ce: { data_is: "base64" } }],
    ["absent", {}, { _ce: { data_is: "absent" } }],
    ["an object with a field _ce", { data: { _ce: 1 } }, { data: { _ce: 1 }, _ce: { data_is: "value" } }],
    ["an object with a field data", { data: { data: 1 } }, { data: 1 }],
  ])("has facts of data that is %s", (_, data, facts) => {
    expect(signalOf(readStructuredEvent({ ...event, ...data })).facts).toEqual(facts);
  });

  it("keeps the attributes for which a signal has no field, and takes null for an absent one", () => {
    const more = {
      subject: "cat.png",
      dataschema: "https://a/b",
      myext: true,
      count: -7,
      correlationid: "c/1",
      gone: null,
    };
    expect(signalOf(readStructuredEvent({ ...event, ...more, data: {} }))).toMatchObject({
      cause: "ce~c~2F1",
      facts: { _ce: { subject: "cat.png", dataschema: "https://a/b", myext: true, count: -7, correlationid: "c/1" } },
    });
  });

  it.each([
    ["com.github.push", "com.github.push", undefined],
    ["https://example.com/x y", "ce.https:__example.com_x_y", "https://example.com/x y"],
    ["Q_AGENT DOWN", "ce.Q_AGENT_DOWN", "Q_AGENT DOWN"],
    ["9lives", "ce.9lives", "9lives"],
    ["größe😀", "ce.gr__e_", "größe😀"],
  ])("of the type %s is a signal %s, and loses nothing of its type", (type, signal, kept) => {
    const { signal: name, facts } = signalOf(readStructuredEvent({ ...event, type, data: {} }));
    expect([name, (facts as { _ce?: { type: string } })._ce?.type]).toEqual([signal, kept]);
  });

  it("has an id of its own for each id, whatever characters that one holds", () => {
    const ids = ["a/b", "a~2Fb", "ce~a~2Fb", "a b", "ä", "{1}", "=="];
    const signals = ids.map((id) => signalOf(readStructuredEvent({ ...event, id })).id);
    expect(signals).toEqual([
      "ce~a~2Fb",
      "a~2Fb",
      "ce~ce~7Ea~7E2Fb",
      "ce~a~20b",
      "ce~~C3~A4",
      "ce~~7B1~7D",
      "ce~~3D~3D",
    ]);
  });

  it.each<[string, object, string]>([
    ["is no object", [], ""],
    ["lacks specversion", { ...event, specversion: undefined }, "/specversion"],
    ["lacks id", { ...event, id: undefined }, "/id"],
    ["lacks source", { ...event, source: undefined }, "/source"],
    ["lacks type", { ...event, type: undefined }, "/type"],
    ["has an empty type", { ...event, type: "" }, "/type"],
    ["has type null", { ...event, type: null }, "/type"],
    ["is of specversion 0.3", { ...event, specversion: "0.3" }, "/specversion"],
    ["has specversion 1.0 as a number", { ...event, specversion: 1 }, "/specversion"],
    ["has an attribute with a capital letter", { ...event, myExt: 1 }, "/myExt"],
    ["has an attribute with an underscore", { ...event, my_ext: "x" }, "/my_ext"],
    ["has an attribute that is an object", { ...event, ext: {} }, "/ext"],
    ["has an attribute that is a fraction", { ...event, ext: 1.5 }, "/ext"],
    ["has an attribute beyond 32 bits", { ...event, ext: 2 ** 31 }, "/ext"],
    ["has a control character in an attribute", { ...event, subject: "a\u0007" }, "/subject"],
    ["has half a surrogate pair in an attribute", { ...event, subject: "a\ud800" }, "/subject"],
    ["has a time that is none", { ...event, time: "yesterday" }, "/time"],
    ["has a time without an offset", { ...event, time: "2018-04-05T17:31:00" }, "/time"],
    ["has a time on a day that does not exist", { ...event, time: "2018-02-30T17:31:00Z" }, "/time"],
    ["has a traceparent that is none", { ...event, traceparent: "00-1-2-01" }, "/traceparent"],
    ["has data and data_base64", { ...event, data: 1, data_base64: "AA==" }, "/data_base64"],
    ["has data_base64 that is none", { ...event, data_base64: "AA=" }, "/data_base64"],
    ["has an id that is too long", { ...event, id: "/".repeat(100) }, "/id"],
    ["has a source that is too long", { ...event, source: "x".repeat(257) }, "/source"],
    ["has a cause that is too long", { ...event, causationid: "x".repeat(300) }, "/causationid"],
    ["has wrong facts of a known signal", { ...event, type: "OBSERVATION", data: {} }, "/data/zooid"],
    ["has an empty subject", { ...event, subject: "" }, "/subject"],
  ])("that %s is refused with a pointer to it, and its name", (_, wrong, pointer) => {
    const errors = errorsOf(readStructuredEvent(wrong));
    expect(errors.map((error) => error.pointer)).toEqual([pointer]);
    expect(`an attribute, or data: ${errors[0]?.message}`).toContain(
      pointer.split("/")[1]?.split("_")[0] ?? "CloudEvent",
    );
  });

  it("holds no more levels of lists in its data than facts of a signal may", () => {
    const nested = (levels: number): unknown => (levels === 0 ? 1 : [nested(levels - 1)]);
    expect(errorsOf(readStructuredEvent({ ...event, data: nested(63) }))).toEqual([]);
    expect(errorsOf(readStructuredEvent({ ...event, data: nested(64) }))).toMatchObject([{ pointer: "/data" }]);
  });
});

describe("the headers of an event in binary mode", () => {
  const read = (headers: Record<string, string>) => readHeaders(Object.entries(headers));

  it.each([
    ["plain", "plain"],
    ["Euro%20%E2%82%AC%20%F0%9F%98%80", "Euro € 😀"],
    ['"quoted \\"text\\" with \\\\"', 'quoted "text" with \\'],
    ['"%22quoted%22 once"', '"quoted" once'],
    ["%2541", "%41"],
    ["100%", "100%"],
    ["%zz%20", "%zz "],
    ['"open', '"open'],
  ])("say %s as %s: quotes go first, and one round of percent-encoding", (sent, value) => {
    expect(read({ "ce-subject": sent })).toEqual({ ok: true, attributes: { subject: value } });
  });

  it.each(["%C0%A0", "%E2%82", "%FF", "%ED%A0%80", "caf\u00e9"])("are refused where %s is no UTF-8", (sent) => {
    expect(read({ "ce-subject": sent })).toMatchObject({ ok: false, errors: [{ pointer: "/header/ce-subject" }] });
  });

  it("name the content type of the data, and leave other headers alone", () => {
    const headers = { "content-type": "text/plain; charset=utf-8", host: "x", "ce-id": "1" };
    expect(read(headers)).toEqual({ ok: true, attributes: { datacontenttype: "text/plain; charset=utf-8", id: "1" } });
    expect(read({ "ce-datacontenttype": "text/plain" })).toMatchObject({ ok: false });
  });

  it("are pointed at where the event that they make is wrong", () => {
    const nothing: EventData = { is: "absent" };
    const place = { ...placeOf(""), attribute: (name: string) => `/header/ce-${name}` };
    const admission = readEvent({ ...event, my_ext: "1", time: "now" }, nothing, place);
    expect(errorsOf(admission).map(({ pointer }) => pointer)).toEqual(["/header/ce-my_ext", "/header/ce-time"]);
  });
});
