import { describe, expect, it } from "vitest";
import { durationMs, readDuration } from "../../../src/core/times/duration.ts";
import { clockTime, lengthInWords, timeInWords } from "../../../src/core/times/in-words.ts";
import { readTime } from "../../../src/core/times/point.ts";
import { momentOf, wallTime } from "../../../src/core/times/zone.ts";
import fc from "../../fast-check.ts";

const nowMs = Date.parse("2026-11-30T10:20:30.400Z");
const BERLIN = { nowMs, zone: "Europe/Berlin" };

const past = (text: string, now = BERLIN) => {
  const reading = readTime(text, now, "past");
  return reading.ok ? new Date(reading.ms).toISOString() : reading.why;
};

describe("a length of time", () => {
  it.each([
    ["90s", 90_000],
    ["10m", 600_000],
    ["1h30m", 5_400_000],
    ["1h 30m", 5_400_000],
    ["7d", 604_800_000],
    ["1w", 604_800_000],
    ["250ms", 250],
    ["0", 0],
  ])("reads %s", (text, ms) => expect(readDuration(text)).toEqual({ ok: true, ms }));

  it("reads a bare number only where an option says what it counts", () => {
    expect(readDuration("1500", "ms")).toEqual({ ok: true, ms: 1_500 });
    expect(readDuration("90", "s")).toEqual({ ok: true, ms: 90_000 });
    expect(readDuration("90")).toMatchObject({ ok: false, why: expect.stringContaining("90 has no unit: write 90s") });
  });

  it.each([
    ["10min", '"min" is no unit: use m.'],
    ["2 hours", '"hours" is no unit: use h.'],
    ["5 Minutes", '"Minutes" is no unit: use m.'],
    ["3y", '"y" is no unit: use ms, s, m (minutes), h, d or w.'],
    ["1.5h", "Write whole numbers, such as 1h30m"],
    ["-10m", "A length of time has no sign."],
    ["1h30", "A number at the end has no unit."],
    ["1234567890s", "A number has nine digits at most."],
    ["", "Nothing is given."],
    ["soon", "Write a length of time such as 90s"],
    ["999999999w", "longer than"],
  ])("says what is wrong with %j", (text, why) => {
    expect(readDuration(text)).toMatchObject({ ok: false, why: expect.stringContaining(why) });
  });

  it("is written so that it reads as the same length again, to two units", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 400 * 86_400_000 }), (ms) => {
        const again = durationMs(lengthInWords(ms)) ?? Number.NaN;
        expect(again).toBeLessThanOrEqual(Math.max(ms, 1));
        expect(ms - again).toBeLessThan(ms < 60_000 ? 1_000 : ms < 86_400_000 ? 60_000 : 3_600_000);
      }),
      { numRuns: 200 },
    );
  });
});

describe("a point in time", () => {
  it.each([
    ["10m", "2026-11-30T10:10:30.400Z"],
    ["10m ago", "2026-11-30T10:10:30.400Z"],
    ["1h 30m ago", "2026-11-30T08:50:30.400Z"],
    ["in 2h", "2026-11-30T12:20:30.400Z"],
    ["now", "2026-11-30T10:20:30.400Z"],
    ["2026-11-29", "2026-11-28T23:00:00.000Z"],
    ["2026-11-29 14:00", "2026-11-29T13:00:00.000Z"],
    ["2026-11-29 14:00:07.25", "2026-11-29T13:00:07.250Z"],
    ["yesterday", "2026-11-28T23:00:00.000Z"],
    ["yesterday 14:00", "2026-11-29T13:00:00.000Z"],
    ["tomorrow 9:30", "2026-12-01T08:30:00.000Z"],
    ["today", "2026-11-29T23:00:00.000Z"],
    ["8:15", "2026-11-30T07:15:00.000Z"],
    ["2026-11-29T14:00:00Z", "2026-11-29T14:00:00.000Z"],
    ["2026-11-29T14:00Z", "2026-11-29T14:00:00.000Z"],
    ["2026-11-29T14:00:00+02:00", "2026-11-29T12:00:00.000Z"],
    ["2026-11-29T14:00:00", "2026-11-29T14:00:00.000Z"],
    ["1700000000", "2023-11-14T22:13:20.000Z"],
    ["10", "1970-01-01T00:00:10.000Z"],
    ["1700000000.5", "2023-11-14T22:13:20.500Z"],
  ])("reads %s in Berlin", (text, iso) => expect(past(text)).toBe(iso));

  it("takes a length alone as time to come where a time to come is asked for", () => {
    expect(readTime("7d", BERLIN, "future")).toEqual({ ok: true, ms: nowMs + 604_800_000 });
    expect(readTime("7d ago", BERLIN, "future")).toEqual({ ok: true, ms: nowMs - 604_800_000 });
    expect(readTime("999999999d", BERLIN, "future")).toMatchObject({ ok: false });
  });

  it.each([
    ["2026-02-30", "2026-02-30 does not exist"],
    ["yesterday 25:00", "does not exist"],
    ["2026-11-29T14:00", "needs seconds and an offset"],
    ["1700000000000", "not milliseconds"],
    ["10min ago", '"min" is no unit: use m'],
    ["yesteday", '"yesteday" is no time.'],
    ["in 10m ago", "is no time."],
    ["", "Nothing is given."],
  ])("says what is wrong with %j, and how to write it", (text, why) => {
    expect(past(text)).toContain(why);
    expect(past(text)).toContain("Write a time such as 10m (ten minutes ago)");
  });

  it("knows the days on which clocks are changed", () => {
    const summer = { zone: "Europe/Berlin", nowMs: Date.parse("2026-03-30T10:00:00Z") };
    expect(past("yesterday 01:30", summer)).toBe("2026-03-29T00:30:00.000Z");
    expect(past("yesterday 02:30", summer)).toBe("2026-03-29T01:30:00.000Z"); // skipped: 3:30
    expect(past("yesterday 03:30", summer)).toBe("2026-03-29T01:30:00.000Z");
    expect(past("2026-10-25 02:30", summer)).toBe("2026-10-25T00:30:00.000Z"); // comes twice: the first
    expect(past("2026-10-25 03:30", summer)).toBe("2026-10-25T02:30:00.000Z");
  });

  it("shows on any wall the time that it was read from, where clocks are not changed", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 4_102_444_800 }),
        fc.constantFrom("UTC", "Asia/Kolkata", "America/St_Johns", "Pacific/Kiritimati", "America/New_York"),
        (seconds, zone) => {
          const wall = wallTime(seconds * 1_000, zone);
          expect(wallTime(momentOf(wall, zone), zone)).toEqual(wall);
        },
      ),
      { numRuns: 200 },
    );
  });
});

describe("a time in words", () => {
  const words = (text: string) => timeInWords(Date.parse(text), nowMs, "Europe/Berlin");

  it("is relative within a day, and a local date beyond", () => {
    expect(words("2026-11-30T10:20:30.100Z")).toBe("now");
    expect(words("2026-11-30T10:20:18Z")).toBe("12s ago");
    expect(words("2026-11-30T10:10:30Z")).toBe("10m ago");
    expect(words("2026-11-30T07:00:30Z")).toBe("3h20m ago");
    expect(words("2026-11-30T12:20:31Z")).toBe("in 2h");
    expect(words("2026-11-28T13:05:00Z")).toBe("2026-11-28 14:05");
  });

  it("is a clock's time where it must not change while it is looked at", () => {
    expect(clockTime(Date.parse("2026-11-30T10:10:30Z"), nowMs, "Europe/Berlin")).toBe("11:10:30");
    expect(clockTime(Date.parse("2026-11-29T10:10:30Z"), nowMs, "Europe/Berlin")).toBe("2026-11-29 11:10");
  });
});
