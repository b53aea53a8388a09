import { describe, expect, test } from "vitest";
import { findFaults } from "../../../src/core/json/find-faults.ts";
import { JSON_LIMITS, limitsAround } from "../../../src/core/json/limits.ts";
import { isHeldByDouble } from "../../../src/core/json/number-text.ts";
import { isPlainJson } from "../../../src/core/json/plain-json.ts";
import { pruneDeep, TOO_DEEP } from "../../../src/core/json/prune-deep.ts";
import { readFaultyJson, readJson, readJsonKeeping } from "../../../src/core/json/read-json.ts";
import fc from "../../fast-check.ts";

const nested = (depth: number) => "[".repeat(depth) + "]".repeat(depth);
const errorsOf = (text: string, limits = JSON_LIMITS) => {
  const reading = readJson(text, limits);
  return reading.ok || reading.malformed !== undefined ? [] : reading.errors;
};

describe("a number in JSON text", () => {
  test.each([
    "0",
    "-0",
    "0.0",
    "0e5",
    "0.1",
    "-12.50",
    "1e3",
    "1E+3",
    "9007199254740991",
    "9007199254740992",
    "-9007199254740992",
    "1e21",
    "1e23",
    "100000000000000000000000",
    "1.7976931348623157e308",
    "5e-324",
    "2.2250738585072014e-308",
    "0.10000000000000001",
    "3.141592653589793238462643",
    "9.9999999999999992e+22",
    "99999999999999991611392.000000",
    "1234567890.123456789012",
  ])("is taken where readers get what was written: %s", (text) => {
    expect(isHeldByDouble(text)).toBe(true);
    expect(readJson(text).ok).toBe(true);
  });

  test.each([
    "9007199254740993",
    "-9007199254740993",
    "9007199254740993.0",
    "9.007199254740993e15",
    "90071992547409930e-1",
    "1234567890123456789",
    "1152921504606846976",
    "18446744073709551616",
    "12345678901234567.89",
    "1e400",
    "-1e999",
    `1${"0".repeat(400)}`,
    "1e-400",
    `0.${"0".repeat(400)}1`,
    "3e-324",
  ])("is refused where it would become another number: %s", (text) => {
    expect(isHeldByDouble(text)).toBe(false);
    expect(errorsOf(`{"facts":{"n":${text}}}`)).toEqual([
      { pointer: "/facts/n", message: expect.stringContaining("send it as a string") },
    ]);
  });

  test("that was written from a double is always taken", () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => {
        const text = JSON.stringify(value);
        expect(isHeldByDouble(text)).toBe(true);
        expect(isPlainJson(`[${text}]`, JSON_LIMITS)).toBe(true);
      }),
      { numRuns: 2_000 },
    );
  });

  test("that is whole is taken only where its digits come back", () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(10n ** 25n), max: 10n ** 25n }), (value) => {
        const text = String(value);
        if (isHeldByDouble(text))
          expect(BigInt(Number(text).toLocaleString("fullwide", { useGrouping: false }))).toBe(value);
        else expect(Number.isSafeInteger(Number(text))).toBe(false);
      }),
      { numRuns: 2_000 },
    );
  });
});

describe("reading JSON whose sender can be asked", () => {
  test("takes 64 objects and lists inside each other", () => {
    expect(readJson(nested(64)).ok).toBe(true);
    expect(readJson(nested(66), limitsAround(2)).ok).toBe(true);
  });

  test("refuses deeper nesting with the place", () => {
    expect(errorsOf(`{"a":{"b":${nested(63)}}}`)).toEqual([
      { pointer: `/a/b${"/0".repeat(62)}`, message: expect.stringContaining("nested too deeply") },
    ]);
  });

  test("refuses a megabyte of brackets without an exhausted stack", () => {
    expect(errorsOf(nested(500_000))).toHaveLength(1);
    expect(errorsOf([`{"a":`.repeat(100_000), "}".repeat(100_000)].join("1"))).toHaveLength(1);
  });

  test("names every place, and goes on behind what is too deep", () => {
    const pointers = errorsOf(`{"a":[${nested(70)},{"b":1e999}],"c":${nested(70)},"d":"\\ud800"}`).map(
      ({ pointer }) => pointer,
    );
    expect(pointers).toEqual([`/a/0${"/0".repeat(62)}`, "/a/1/b", `/c${"/0".repeat(63)}`, "/d"]);
  });

  test("refuses a key that an object has twice, also where one is escaped", () => {
    expect(errorsOf('{"a":{"x":1,"y":2,"x":3}}')).toEqual([
      { pointer: "/a/x", message: "the object has this key twice: send it once" },
    ]);
    expect(errorsOf('{"a":1,"\\u0061":2}')).toHaveLength(1);
    expect(errorsOf('{"a" : 1, "b" : {"a" : 1}, "a" : 2}')).toHaveLength(1);
    expect(errorsOf('[{"a":1},{"a":1},{"b":{"a":{"a":1}},"a":"a"}]')).toEqual([]);
  });

  test("refuses __proto__ as a key, which a copy of the object would lose", () => {
    expect(errorsOf('{"a":{"__proto__":{"b":1}}}').map(({ pointer }) => pointer)).toEqual(["/a/__proto__"]);
    expect(errorsOf('{"\\u005f_proto__":1}')).toHaveLength(1);
    expect(errorsOf('{"a":"__proto__"}')).toEqual([]);
  });

  test("refuses half a surrogate pair and takes whole ones", () => {
    expect(errorsOf('{"a":"\\ud83d"}').map(({ pointer }) => pointer)).toEqual(["/a"]);
    expect(errorsOf('["\\udca9","\\ud83d\\ud83d\\udca9","x\\uD83Dx"]')).toHaveLength(3);
    expect(errorsOf('["\\ud83d\\udca9","\\uD83D\\uDCA9\\u00e9","\\\\ud83d","💩"]')).toEqual([]);
  });

  test("refuses objects with too many keys and keys that are too long", () => {
    const keys = (count: number) => `{${Array.from({ length: count }, (_, i) => `"k${i}":${i}`).join(",")}}`;
    expect(readJson(keys(10_000)).ok).toBe(true);
    expect(errorsOf(keys(10_001))).toEqual([{ pointer: "/k10000", message: expect.stringContaining("10000 keys") }]);
    expect(readJson(`{"${"k".repeat(1_024)}":1}`).ok).toBe(true);
    expect(errorsOf(`{"${"k".repeat(1_025)}":1}`)).toHaveLength(1);
  });

  test("skips a byte-order mark", () => {
    expect(readJson('\ufeff{"a":1}')).toEqual({ ok: true, value: { a: 1 } });
  });

  test("says where a text is not JSON and never quotes it", () => {
    expect(readJson('{"a":\n secret}')).toEqual({ ok: false, malformed: "line 2, column 2: expected a value" });
    expect(readJson("").ok).toBe(false);
  });

  test("lists a hundred errors at most", () => {
    expect(errorsOf(`[${"1e999,".repeat(10_000)}1]`)).toHaveLength(100);
  });
});

describe("the quick pass over JSON text", () => {
  // Numbers, keys and escapes from a small choice, so that faults and their neighbours come up often.
  const leaf = fc.oneof(
    fc.constantFrom(
      "9007199254740993",
      "9007199254740992",
      "1e400",
      "1E5",
      "-0.5",
      "0.12345678901234567",
      "17",
      "1e-400",
    ),
    fc.constantFrom(
      '"\\ud800"',
      '"\\ud83d\\udca9"',
      '"a\\\\"',
      '"{["',
      '"\\""',
      '"12345678901234567890"',
      "true",
      "null",
    ),
  );
  const key = fc.constantFrom('"a"', '"b"', '"\\u0061"', '"__proto__"', '"c\\""', '"Aa"', '"BB"', '"x" ');
  const { tree } = fc.letrec<{ tree: string }>((tie) => ({
    tree: fc.oneof(
      { maxDepth: 5 },
      leaf,
      fc.array(tie("tree"), { maxLength: 4 }).map((items) => `[${items.join(", ")}]`),
      fc
        .array(fc.tuple(key, tie("tree")), { maxLength: 4 })
        .map((entries) => `{${entries.map(([name, value]) => `${name}:${value}`).join(",")}}`),
    ),
  }));

  test("never calls a text plain in which the thorough search finds a fault", () => {
    fc.assert(
      fc.property(tree, fc.integer({ min: 1, max: 6 }), (text, depth) => {
        const limits = { ...JSON_LIMITS, depth };
        if (isPlainJson(text, limits)) expect([...findFaults(text, limits)]).toEqual([]);
      }),
      { numRuns: 5_000 },
    );
  });

  test("judges a number at the end of a text alone, whatever longer text was read before", () => {
    expect(isPlainJson(`"${"9".repeat(400)}"`, JSON_LIMITS)).toBe(true);
    expect(isPlainJson("9", JSON_LIMITS)).toBe(true);
  });

  test("calls ordinary texts plain, so that the thorough search is rare", () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 6 }), (value) => {
        const text = JSON.stringify(value);
        const odd = /\\|__proto__/.test(text);
        if (!odd) expect(isPlainJson(text, JSON_LIMITS)).toBe(true);
      }),
      { numRuns: 2_000 },
    );
  });
});

describe("reading JSON whose writer cannot be asked", () => {
  test("keeps numbers that a double does not hold as text with the same digits", () => {
    expect(readJsonKeeping('{"id":9007199254740993,"list":[1e400,-1e999,1.5],"n":1}')).toEqual({
      ok: true,
      value: { id: "9007199254740993", list: ["1e400", "-1e999", 1.5], n: 1 },
      keptAsText: 3,
    });
  });

  test("keeps half a surrogate pair as its escape, and whole pairs as they are", () => {
    expect(readJsonKeeping('{"a":"x\\ud83dy \\ud83d\\udca9 \\\\ud83d \\uDC00","b\\ud800":1}')).toEqual({
      ok: true,
      value: { a: "x\\ud83dy 💩 \\ud83d \\uDC00", "b\\ud800": 1 },
      keptAsText: 2,
    });
  });

  test("takes the last of a repeated key", () => {
    expect(readJsonKeeping('{"a":1,"a":12345678901234567890}')).toEqual({
      ok: true,
      value: { a: "12345678901234567890" },
      keptAsText: 1,
    });
  });

  test("refuses what breaks a limit", () => {
    const reading = readJsonKeeping(`{"n":1e400,"deep":${nested(20_000)}}`);
    expect(reading).toMatchObject({ ok: false, errors: [{ message: expect.stringContaining("nested too deeply") }] });
  });
});

describe("reading a frame of several items", () => {
  test("gives the document without what is too deep, and the faults of the text", () => {
    const reading = readFaultyJson(`{"signals":[1,${nested(6)},12345678901234567890]}`, { ...JSON_LIMITS, depth: 4 });
    if (!reading.ok) throw new Error(reading.malformed);
    expect(reading.value).toEqual({ signals: [1, [[TOO_DEEP]], "12345678901234567890"] });
    expect([...(reading.faults?.() ?? [])].map(({ pointer, kind }) => [pointer, kind])).toEqual([
      ["/signals/1/0/0", "depth"],
      ["/signals/2", "number"],
    ]);
  });

  test("names no faults where there are none", () => {
    expect(readFaultyJson('{"\\u0061":1}', JSON_LIMITS)).toEqual({ ok: true, value: { a: 1 }, faults: undefined });
  });
});

describe("cutting stored data that is too deep", () => {
  test("leaves data within the limit as it is and replaces what lies below", () => {
    expect(pruneDeep(JSON.parse(nested(96)))).toEqual(JSON.parse(nested(96)));
    expect(pruneDeep({ a: { b: { c: 1 } }, d: [1] }, 2)).toEqual({ a: { b: TOO_DEEP }, d: [1] });
  });

  test("cuts a hundred thousand levels without an exhausted stack", () => {
    const text = JSON.stringify(pruneDeep(JSON.parse(nested(100_000))));
    expect(text).toBe(`${"[".repeat(96)}"${TOO_DEEP}"${"]".repeat(96)}`);
  });
});
