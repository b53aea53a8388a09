import { describe, expect, it } from "vitest";
import { minuteOf, planRound } from "../../../../src/core/hosts/monitors/rounds.ts";

const DAY_MS = 86_400_000;
const at = (minute: number) => 1_000 * DAY_MS + minute * 60_000;

describe("a minute's round", () => {
  it("skips an ecosystem without hosts and recent signals", () => {
    const quiet = [{ name: "quiet", lastActiveMs: at(0) - 30 * DAY_MS }];
    for (let minute = 0; minute < 1_440; minute++)
      expect(planRound(quiet, [], 7 * DAY_MS, at(minute))).toEqual({ active: [], nudge: [], ask: [], retain: [] });
  });

  it("asks each ecosystem with hosts or recent signals once", () => {
    const known = [{ name: "b", lastActiveMs: at(0) - 3_600_000 }];
    expect(planRound(known, ["a", "b"], 7 * DAY_MS, at(0))).toMatchObject({ active: ["b"], ask: ["a", "b"] });
  });

  it("nudges each quarter of an hour, at minutes of its own, until two hours after the last signal", () => {
    const minutes = Array.from({ length: 200 }, (_, n) => 600 + n);
    const nudged = minutes.filter(
      (minute) => planRound([{ name: "eco", lastActiveMs: at(600) }], [], DAY_MS, at(minute)).nudge.length > 0,
    );
    expect(nudged).toHaveLength(8);
    expect(new Set(nudged.map((minute) => minute % 15))).toEqual(new Set([minuteOf("eco") % 15]));
    expect(nudged.at(-1)).toBeLessThan(720);
  });

  it("deletes old signals of a quiet ecosystem once a day, at a minute of its own", () => {
    const known = [{ name: "eco", lastActiveMs: at(0) - 6 * DAY_MS }];
    const minutes = Array.from({ length: 1_440 }, (_, minute) => minute).filter(
      (minute) => planRound(known, [], 7 * DAY_MS, at(minute)).retain.length > 0,
    );
    expect(minutes).toEqual([minuteOf("eco")]);
    expect(new Set(["a", "b", "c", "d", "e"].map(minuteOf)).size).toBe(5);
  });
});
