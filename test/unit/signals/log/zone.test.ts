import { describe, expect, test } from "vitest";
import { namesText, readNames, type SegmentHeader } from "../../../../src/core/signals/log/segment.ts";
import { mayHoldName, mayHoldNumber, OpenZone, readZone, type Zone } from "../../../../src/core/signals/log/zone.ts";
import { compilePatterns } from "../../../../src/core/signals/pattern.ts";

const header = (place: number, more: Partial<SegmentHeader>): SegmentHeader => ({
  firstSeq: place * 10 + 1,
  lastSeq: place * 10 + 10,
  receivedMs: 0,
  firstTs: 0,
  lastTs: 0,
  names: ["Q"],
  producers: [],
  foreignIds: [],
  causes: [],
  ...more,
});
const range = (count: number, prefix: string, from = 0) =>
  Array.from({ length: count }, (_, n) => `${prefix}${String(from + n).padStart(120, "0")}`);
const zoneOf = (headers: readonly SegmentHeader[]): Zone => {
  const zone = new OpenZone();
  for (const one of headers) zone.add(one);
  return readZone(JSON.stringify(zone.close()));
};
const bytes = (value: unknown) => new TextEncoder().encode(JSON.stringify(value)).length;
const holds = (part: Zone | SegmentHeader, ...patterns: string[]) => mayHoldName(part, compilePatterns(patterns));

describe("zone of segments with many names", () => {
  const names = (place: number) => range(900, "Q_", place * 900);
  const full = zoneOf(Array.from({ length: 256 }, (_, place) => header(place, { names: names(place) })));

  test("takes a row of bounded size", () => {
    expect(bytes(full)).toBeLessThan(1_000_000);
  });

  test("may hold each of its names, and everything that a pattern may match", () => {
    expect(names(0).every((name) => holds(full, name))).toBe(true);
    expect(names(255).every((name) => holds(full, name))).toBe(true);
    expect(holds(full, "Q_*")).toBe(true);
    expect(holds(full, "!OBSERVATION")).toBe(true);
  });

  test("that are still few enough for a filter is skipped for a name that is not there", () => {
    const some = zoneOf(Array.from({ length: 10 }, (_, place) => header(place, { names: names(place) })));
    expect(range(1_000, "Q_", 1_000_000).filter((name) => holds(some, name)).length).toBeLessThan(50);
    expect(names(9).every((name) => holds(some, name))).toBe(true);
  });

  test("lists the names where they are few, so that patterns are answered exactly", () => {
    const few = zoneOf([header(0, { names: ["Q_A", "Q_B"] })]);
    expect(few.names).toEqual(["Q_A", "Q_B"]);
    expect([holds(few, "Q_C*"), holds(few, "Q_A*")]).toEqual([false, true]);
  });

  test("that are read from stored headers says the same as of those in memory", () => {
    const stored = readNames(namesText(names(0)));
    const zone = zoneOf([header(0, { names: ["Q_OTHER"] }), header(1, stored)]);
    expect([...names(0), "Q_OTHER"].every((name) => holds(zone, name))).toBe(true);
    expect(holds(zone, "Q_NOT_THERE")).toBe(false);
  });
});

describe("zone of segments with many producers", () => {
  const producers = (place: number) => range(2_000, "p", place * 2_000).map((name) => [name, 1, 4] as const);

  test("takes a row of bounded size and may hold a number of each of them", () => {
    const zone = zoneOf(Array.from({ length: 256 }, (_, place) => header(place, { producers: producers(place) })));
    expect(bytes(zone)).toBeLessThan(1_000_000);
    expect(producers(255).every(([name]) => mayHoldNumber(zone, name, 3))).toBe(true);
  });

  test("lists them with their numbers where they are few", () => {
    const zone = zoneOf([header(0, { producers: [["a", 3, 5]] }), header(1, { producers: [["a", 6, 9]] })]);
    expect([2, 3, 9, 10].map((number) => mayHoldNumber(zone, "a", number))).toEqual([false, true, true, false]);
    expect(mayHoldNumber(zone, "b", 3)).toBe(false);
  });

  test("of an earlier version is read by the numbers that it had", () => {
    const { ended: _, ...old } = zoneOf([header(0, { producers: [["a", 3, 5]] })]);
    const zone = readZone(JSON.stringify({ ...old, producers: { a: 5, b: 7 } }));
    expect([2, 3, 5, 6].map((number) => mayHoldNumber(zone, "a", number))).toEqual([false, true, true, false]);
    expect(mayHoldNumber(zone, "b", 7)).toBe(false);
  });
});

describe("names of a stored segment", () => {
  test("take a bounded text, and are found by name", () => {
    const names = range(4_000, "Q_");
    const text = namesText(names);
    expect(text.length).toBeLessThan(50_000);
    const stored = header(0, readNames(text));
    expect(names.every((name) => holds(stored, name))).toBe(true);
    expect([holds(stored, "Q_NOT_THERE"), holds(stored, "Q_*")]).toEqual([false, true]);
  });

  test("are listed where they are few", () => {
    expect(readNames(namesText(["Q_A", "Q_B"]))).toEqual({ names: ["Q_A", "Q_B"] });
  });
});
