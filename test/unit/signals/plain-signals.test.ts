import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { describe, expect, test } from "vitest";
import { isJsonObject } from "../../../src/core/json/is-json-object.ts";
import { MAX_DEPTH } from "../../../src/core/json/limits.ts";
import { LIMITS } from "../../../src/core/signals/limits.ts";
import { readPlainAppend, readPlainSignals } from "../../../src/core/signals/plain-signals.ts";
import fc from "../../fast-check.ts";

const one = { signal: "Q_A", source: "h/d", timestamp: "2026-01-01T00:00:00Z", facts: { a: [1, { b: "\n" }], c: {} } };
const frame = (signals: readonly unknown[], more: object = {}) =>
  JSON.stringify({ type: "append", batch: 7, producer: "h.e.l", first: 41, signals, ...more });

/** What was read, as the document that was sent. */
const documents = (read: ReturnType<typeof readPlainSignals>) =>
  read?.signals.map((fields, place) => ({ ...fields, facts: JSON.parse(read.facts[place] ?? "") as unknown }));

const word = fc.constantFrom("Q_A", "h/d", "", "x".repeat(300), 'a"', "ä", "2026-01-01T00:00:00Z", "\u007f", "\n");
const leaf = fc.oneof(fc.string(), fc.double({ noNaN: true, noDefaultInfinity: true }), fc.constantFrom(null, true));
const object = fc.dictionary(fc.constantFrom("facts", "signal", "a", "__proto__", "ä"), fc.oneof(leaf, fc.array(leaf)));
const value = fc.oneof(word, word, leaf, object);
const signal = fc.record(
  {
    signal: value,
    source: value,
    timestamp: value,
    facts: fc.oneof(object, object, value),
    id: value,
    cause: value,
    trace: value,
    depth: fc.oneof(fc.nat(), value),
    via: value,
  },
  { requiredKeys: ["facts"] },
);

describe("signals in their usual form", () => {
  test("are read as JSON.parse reads them, with the text of their facts", () => {
    let read = 0;
    fc.assert(
      fc.property(fc.oneof(signal, fc.array(signal, { maxLength: 4 })), (document) => {
        const text = JSON.stringify(document);
        const plain = readPlainSignals(text);
        if (plain === undefined) return;
        read++;
        const written = JSON.parse(text) as object;
        expect(JSON.parse(JSON.stringify(documents(plain)))).toEqual(Array.isArray(written) ? written : [written]);
        expect(plain.facts).toEqual([written].flat().map((each) => JSON.stringify((each as { facts: unknown }).facts)));
      }),
      { numRuns: 3_000 },
    );
    expect(read).toBeGreaterThan(100);
  });

  test("are taken from no text that JSON.parse refuses, whatever of a good one was changed", () => {
    const token = fc.constantFrom(
      ...'{}[],:"\\/ \n\u0000\u001f0123456789-+.eEutfnr',
      "true",
      "null",
      "1.5e3",
      '"a":',
      '"depth":1,',
      '"id":"x",',
      "\\u00e",
      "\\x",
    );
    const numbers = { a: [1, -0.5, 2e9, true, null, 'x\n"'], b: {} };
    const good = frame([
      { ...one, facts: numbers, depth: 3 },
      { ...one, facts: {} },
    ]);
    const change = fc.record({
      at: fc.nat(good.length),
      gone: fc.nat(3),
      instead: fc.string({ unit: token, maxLength: 3 }),
    });
    let taken = 0;
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 3 }), (changes) => {
        let text = good;
        for (const { at, gone, instead } of changes) text = text.slice(0, at) + instead + text.slice(at + gone);
        const plain = readPlainAppend(text);
        if (plain === undefined) return;
        taken++;
        const { facts: _, signals: __, ...head } = plain;
        expect({ ...head, signals: JSON.parse(JSON.stringify(documents(plain))) as unknown }).toEqual(
          JSON.parse(JSON.stringify(JSON.parse(text))), // -0 becomes 0
        );
      }),
      { numRuns: 20_000 },
    );
    expect(taken).toBeGreaterThan(500);
  });

  test("keep numbers and escapes of their facts as they were sent, which mean the same", () => {
    const facts = '{"b":1.0,"10":1e2,"9":"\\/\\u00e4"}';
    expect(readPlainSignals(`{"signal":"Q_A","facts":${facts}}`)?.facts).toEqual([facts]);
  });

  test("are read in any order of their members, and an append's too", () => {
    const reversed = (document: object) => Object.fromEntries(Object.entries(document).reverse());
    const { type, ...rest } = JSON.parse(frame([reversed(one), one])) as { type: string };
    const plain = readPlainAppend(JSON.stringify({ type, ...reversed(rest) }));
    expect(plain).toMatchObject({ type, batch: 7, producer: "h.e.l", first: 41 });
    expect(documents(plain)).toEqual([one, one]);
  });

  test("give each signal its own words, whatever the one before it said", () => {
    const names = ["Q_A", "Q_A", "Q_B", "Q_", "Q_BC", "Q_A"];
    const signals = names.map((name) => ({ signal: name, source: `${name}/x`, facts: {} }));
    expect(documents(readPlainSignals(JSON.stringify(signals)))).toEqual(signals);
    expect(readPlainAppend(frame(signals, { producer: "h.e.m" }))?.producer).toBe("h.e.m");
    expect(readPlainAppend(frame(signals))?.producer).toBe("h.e.l");
  });

  test("are not kept in memory whole by who keeps a name, a source, an id or a producer of theirs", () => {
    setFlagsFromString("--expose-gc");
    const collect = runInNewContext("gc") as () => void;
    const words = (place: number) => `a-name-of-some-length-${place}`;
    const kept: unknown[] = [];
    const read = (place: number) => {
      const [signal, source, id, cause] = [0, 1, 2, 3].map((part) => words(place * 10 + part));
      const facts = { text: "x".repeat(200_000) };
      const text = frame([{ signal, source, id, cause, facts }], { producer: words(place) });
      const plain = readPlainAppend(text);
      kept.push(plain?.producer, plain?.signals);
    };
    for (let place = 0; place < 3; place++) read(place);
    collect();
    const before = process.memoryUsage().heapUsed;
    for (let place = 3; place < 103; place++) read(place);
    collect();
    expect(kept).toHaveLength(206);
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(4_000_000);
  });

  test.each([
    ["with white space between tokens", '{"signal":"Q_A", "facts":{}}'],
    ["with white space in the facts", '{"signal":"Q_A","facts":{"a":\n1}}'],
    ["with characters of several bytes", '{"signal":"Q_A","facts":{"a":"ä"}}'],
    ["with half a surrogate pair", '{"signal":"Q_A","facts":{"a":"\\ud800"}}'],
    ["with a number that no double holds", '{"signal":"Q_A","facts":{"n":1e999}}'],
    ["without facts", '{"signal":"Q_A"}'],
    ["with facts that are a list", '{"signal":"Q_A","facts":[]}'],
    ["with another member", '{"signal":"Q_A","facts":{},"via":"x"}'],
    ["with a member twice", '{"signal":"Q_A","signal":"Q_B","facts":{}}'],
    ["with an escape in a name", '{"signal":"Q\\u005fA","facts":{}}'],
    ["with a name that is null", '{"signal":null,"facts":{}}'],
    ["with a depth below 0", '{"signal":"Q_A","facts":{},"depth":-1}'],
    ["with something behind them", '{"signal":"Q_A","facts":{}}{}'],
    ["of a list without an end", '[{"signal":"Q_A","facts":{}}'],
    ["of a list in a list", '[[{"signal":"Q_A","facts":{}}]]'],
    ["of no text at all", ""],
    ["too deep", `{"signal":"Q_A","facts":${'{"a":'.repeat(MAX_DEPTH + 1)}1${"}".repeat(MAX_DEPTH + 1)}}`],
    ["too many", JSON.stringify(Array.from({ length: LIMITS.batchSignals + 1 }, () => one))],
  ])("are left to the schema %s", (_, text) => {
    expect(readPlainSignals(text)).toBeUndefined();
  });

  test.each([
    ["of another type", frame([one]).replace("append", "status")],
    ["that does not begin with its type", `{"batch":1,${frame([one]).slice(1)}`],
    ["with a second type", frame([one]).replace('"batch"', '"type":"status","batch"')],
    ["with another member", frame([one], { more: 1 })],
    ["without a producer", frame([one], { producer: undefined })],
    ["with a first number that is a fraction", frame([one], { first: 1.5 })],
    ["with a number with a zero before it", frame([one]).replace('"batch":7', '"batch":07')],
    ["with one object in the place of the list", frame([one]).replace('"signals":[', '"signals":').replace("]}", "}")],
  ])("are left to the schema in a frame %s", (_, text) => {
    expect(readPlainAppend(text)).toBeUndefined();
  });

  test("may be as many, and their facts as deep, as a batch and the content may be", () => {
    const deep = `{"a":`.repeat(MAX_DEPTH - 1);
    const text = `{"signal":"Q_A","facts":${deep}{}${"}".repeat(MAX_DEPTH - 1)}}`;
    expect(isJsonObject(documents(readPlainSignals(text))?.[0]?.facts)).toBe(true);
    const most = Array.from({ length: LIMITS.batchSignals }, () => one);
    expect(readPlainSignals(JSON.stringify(most))?.signals).toHaveLength(LIMITS.batchSignals);
  });
});
