import { describe, expect, test } from "vitest";
import {
  expiredSlices,
  isSliceOver,
  readRetention,
  type SliceTimes,
  sliceTimes,
} from "../../../../src/core/signals/log/retention.ts";
import fc from "../../../fast-check.ts";

const DAY_MS = 86_400_000;
const week = { ms: 7 * DAY_MS, bytes: 8e9 };

describe("the settings of the retention", () => {
  test("are days and gigabytes, seven and eight by default", () => {
    const invalid = () => expect.unreachable();
    expect(readRetention(undefined, undefined, invalid)).toEqual(week);
    expect(readRetention("", "", invalid)).toEqual(week);
    expect(readRetention("0.5", "0.25", invalid)).toEqual({ ms: DAY_MS / 2, bytes: 2.5e8 });
  });

  test.each(["seven", "-1", "0", "Infinity", "NaN", "7d"])("keep their defaults where the text is %s", (text) => {
    const told: string[] = [];
    expect(readRetention(text, text, (setting) => told.push(setting))).toEqual(week);
    expect(told).toEqual(["RETENTION_DAYS", "LOG_MAX_GB"]);
  });
});

describe("a slice", () => {
  const slice = sliceTimes(1_000 * DAY_MS, week);

  test("is over after a 28th of the retention under which it began, whatever the retention is now", () => {
    expect(slice.endsMs - slice.beganMs).toBe(DAY_MS / 4);
    const year = { ...week, ms: 365 * DAY_MS };
    expect(isSliceOver(slice, 0, slice.endsMs - 1, year)).toBe(false);
    expect(isSliceOver(slice, 0, slice.endsMs, year)).toBe(true);
  });

  test("is over when it holds a sixteenth of what the log may hold", () => {
    expect(isSliceOver(slice, 5e8 - 1, slice.beganMs, week)).toBe(false);
    expect(isSliceOver(slice, 5e8, slice.beganMs, week)).toBe(true);
  });

  test("is over when the clock was set back by more than its length, and goes on for less", () => {
    expect(isSliceOver(slice, 0, slice.beganMs - DAY_MS / 4, week)).toBe(false);
    expect(isSliceOver(slice, 0, slice.beganMs - DAY_MS / 4 - 1, week)).toBe(true);
  });
});

describe("expired slices", () => {
  /** Slices of a day each. */
  const began = (...days: number[]) => days.map((day) => ({ beganMs: day * DAY_MS, endsMs: (day + 1) * DAY_MS }));

  test("are those that ended before the retention", () => {
    const slices = began(1, 2, 3);
    expect(expiredSlices(slices, 9 * DAY_MS, week)).toBe(0);
    expect(expiredSlices(slices, 9 * DAY_MS + 1, week)).toBe(1);
    expect(expiredSlices(slices, 10 * DAY_MS + 1, week)).toBe(2);
    expect(expiredSlices([], 1e15, week)).toBe(0);
  });

  test("are those before a long silence, too", () => {
    expect(expiredSlices(began(1, 2, 30), 30 * DAY_MS, week)).toBe(2);
  });

  test("include slices of a clock that was ahead, once what came after them is old", () => {
    const slices = began(1, 400, 2, 3);
    expect(expiredSlices(slices, 9 * DAY_MS, week)).toBe(0);
    expect(expiredSlices(slices, 9 * DAY_MS + 1, week)).toBe(2);
  });

  test("are never younger than the retention, and nothing older than it by a slice stays, whatever the retention was before", () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.record({
            passMs: fc.integer({ min: 1, max: 3 * DAY_MS }),
            days: fc.constantFrom(0.5, 3, 7, 14, 365),
          }),
          { minLength: 1, maxLength: 60 },
        ),
        (steps) => {
          let nowMs = 1_000 * DAY_MS;
          let slices: (SliceTimes & { lastMs: number })[] = [];
          for (const { passMs, days } of steps) {
            nowMs += passMs;
            const retention = { ms: days * DAY_MS, bytes: 8e9 };
            const current = slices.at(-1);
            if (current === undefined || isSliceOver(current, 0, nowMs, retention))
              slices.push({ ...sliceTimes(nowMs, retention), lastMs: nowMs });
            else current.lastMs = nowMs;
            const expired = expiredSlices(slices, nowMs, retention);
            for (const { lastMs } of slices.slice(0, expired)) expect(lastMs).toBeLessThan(nowMs - retention.ms);
            slices = slices.slice(expired);
            for (const { endsMs } of slices) expect(endsMs).toBeGreaterThanOrEqual(nowMs - retention.ms);
          }
        },
      ),
      { numRuns: 1_000 },
    );
  });
});
