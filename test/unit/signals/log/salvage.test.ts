import { describe, expect, test } from "vitest";
import { LogState } from "../../../../src/core/signals/log/log-state.ts";
import { blindZone, headerOfLines } from "../../../../src/core/signals/log/salvage.ts";
import { mayHold, mayHoldName, mayHoldNumber } from "../../../../src/core/signals/log/zone.ts";
import { compilePatterns } from "../../../../src/core/signals/pattern.ts";
import type { NewSignal } from "../../../../src/core/signals/signal.ts";

const NEW: NewSignal = {
  id: undefined,
  signal: "Q_A",
  source: "s",
  timestampMs: 5_000,
  factsJson: "{}",
  cause: undefined,
  trace: undefined,
  depth: undefined,
};
const PRODUCER = "host.0a1b2c.bus";

function segmentOf(...signals: readonly Partial<NewSignal>[]) {
  const log = new LogState("eco", { epoch: "abcdef", nextSeq: 7, receivedMs: 0 });
  const request = { producer: { name: PRODUCER, first: 4 }, signals: signals.map((one) => ({ ...NEW, ...one })) };
  const [segment] = log.append([request], 9_000).segments;
  if (segment === undefined) throw new Error("no segment");
  return segment;
}

describe("the header of a segment, read from its lines", () => {
  test("says what the stored one said", () => {
    const { lines, ...stored } = segmentOf({}, { signal: "Q_B", timestampMs: 3_000, cause: "c" }, { id: "job-1" });
    const { foreignIds: _, sources: _s, hosts: _h, producers: _p, ...rest } = stored;
    expect(headerOfLines(7, lines)).toMatchObject({
      ...rest,
      producers: [[PRODUCER, 4, 5]],
      foreignIds: expect.arrayContaining([["job-1", 9]]),
    });
  });

  test("is refused of lines that are not those of the segment", () => {
    const { lines } = segmentOf({}, {});
    expect(() => headerOfLines(8, lines)).toThrow("is the signal 7");
    expect(() => headerOfLines(7, ["garbage"])).toThrow(SyntaxError);
  });

  test("counts no number of a producer that the log does not know: the id may be a caller's", () => {
    const { lines } = segmentOf({});
    const log = new LogState("eco", { epoch: "abcdef", nextSeq: 1, receivedMs: 0 });
    log.restore(undefined, [headerOfLines(7, lines)]);
    expect(log.headSeq).toBe(7);
    expect(log.lastNumber(PRODUCER)).toBe(0);
  });
});

describe("a zone that cannot be read", () => {
  test("may hold everything", () => {
    const zone = blindZone(1, 9);
    expect(mayHoldName(zone, compilePatterns(["Q_A"]))).toBe(true);
    expect(mayHoldNumber(zone, PRODUCER, 3)).toBe(true);
    expect(mayHold(zone, 12_345)).toBe(true);
  });
});

describe("pages of producers of which one is damaged", () => {
  test("lose no number that a zone tells, and the page is written anew", () => {
    const log = new LogState("eco", { epoch: "abcdef", nextSeq: 1, receivedMs: 0 });
    const zone = { ...blindZone(1, 9), ended: { [PRODUCER]: 12 }, receivedMs: 3 };
    const pages = [
      { page: 0, body: '[["kept.a.b",5,1],["cut",' },
      { page: 1, body: '[["whole.a.b",6,1]]' },
    ];
    expect(log.restore(undefined, [], pages, () => [zone])).toEqual([0]);
    expect(log.lastNumber(PRODUCER)).toBe(12);
    expect(log.lastNumber("whole.a.b")).toBe(6);
    expect(log.takeProducers().map(({ page }) => page)).toContain(0);
  });
});
