import { describe, expect, it } from "vitest";
import { ScheduleTimes, timesProblem } from "../../../src/core/schedules/times.ts";
import fc from "../../fast-check.ts";

const at = (text: string) => Date.parse(text);
const iso = (ms: number) => new Date(ms).toISOString().replace(".000Z", "Z");
const cron = (expression: string, zone: string) => new ScheduleTimes({ cron: expression, zone }, 0);

function firstOf(times: ScheduleTimes, after: string, count: number): string[] {
  const found: string[] = [];
  let next = times.next(at(after));
  while (next !== undefined && found.length < count) {
    found.push(iso(next));
    next = times.next(next);
  }
  return found;
}

describe("the times of a schedule", () => {
  it("runs once at the following moment where the clock skips its time", () => {
    expect(firstOf(cron("30 2 * * *", "Europe/Berlin"), "2026-03-28T02:00:00Z", 2)).toEqual([
      "2026-03-29T01:00:00Z",
      "2026-03-30T00:30:00Z",
    ]);
    expect(firstOf(cron("30 2 * * *", "America/New_York"), "2026-03-07T08:00:00Z", 2)).toEqual([
      "2026-03-08T07:00:00Z",
      "2026-03-09T06:30:00Z",
    ]);
    // Half an hour alone is skipped on Lord Howe Island.
    expect(firstOf(cron("15 2 * * *", "Australia/Lord_Howe"), "2026-10-02T20:00:00Z", 2)).toEqual([
      "2026-10-03T15:30:00Z",
      "2026-10-04T15:15:00Z",
    ]);
  });

  it("runs once where the clock shows its time twice", () => {
    expect(firstOf(cron("30 2 * * *", "Europe/Berlin"), "2026-10-24T12:00:00Z", 2)).toEqual([
      "2026-10-25T00:30:00Z",
      "2026-10-26T01:30:00Z",
    ]);
    expect(firstOf(cron("30 1 * * *", "America/New_York"), "2026-10-31T12:00:00Z", 2)).toEqual([
      "2026-11-01T05:30:00Z",
      "2026-11-02T06:30:00Z",
    ]);
    expect(firstOf(cron("45 1 * * *", "Australia/Lord_Howe"), "2026-04-03T20:00:00Z", 2)).toEqual([
      "2026-04-04T14:45:00Z",
      "2026-04-05T15:15:00Z",
    ]);
  });

  it("goes on by the time that passes where the hours have a star, whatever the clock does", () => {
    expect(firstOf(cron("30 * * * *", "Europe/Berlin"), "2026-10-25T00:00:00Z", 3)).toEqual([
      "2026-10-25T00:30:00Z",
      "2026-10-25T01:30:00Z",
      "2026-10-25T02:30:00Z",
    ]);
    expect(firstOf(cron("30 * * * *", "Europe/Berlin"), "2026-03-29T00:00:00Z", 3)).toEqual([
      "2026-03-29T00:30:00Z",
      "2026-03-29T01:30:00Z",
      "2026-03-29T02:30:00Z",
    ]);
  });

  it("knows offsets of a quarter of an hour, leap days and the ends of months", () => {
    expect(firstOf(cron("0 9 * * *", "Asia/Kathmandu"), "2026-01-01T00:00:00Z", 1)).toEqual(["2026-01-01T03:15:00Z"]);
    expect(firstOf(cron("0 0 29 2 *", "UTC"), "2026-01-01T00:00:00Z", 2)).toEqual([
      "2028-02-29T00:00:00Z",
      "2032-02-29T00:00:00Z",
    ]);
    expect(firstOf(cron("0 0 31 * *", "UTC"), "2026-01-31T00:00:00Z", 3)).toEqual([
      "2026-03-31T00:00:00Z",
      "2026-05-31T00:00:00Z",
      "2026-07-31T00:00:00Z",
    ]);
    expect(firstOf(cron("0 0 L * *", "UTC"), "2026-01-31T00:00:00Z", 3)).toEqual([
      "2026-02-28T00:00:00Z",
      "2026-03-31T00:00:00Z",
      "2026-04-30T00:00:00Z",
    ]);
  });

  it("takes six fields, the first for seconds", () => {
    expect(firstOf(cron("*/20 0 12 * * *", "UTC"), "2026-01-01T00:00:00Z", 3)).toEqual([
      "2026-01-01T12:00:00Z",
      "2026-01-01T12:00:20Z",
      "2026-01-01T12:00:40Z",
    ]);
  });

  it("counts a length of time from its anchor, and drifts by nothing", () => {
    const times = new ScheduleTimes({ every: "10m", zone: "UTC" }, at("2026-01-01T00:00:07Z"));
    expect(firstOf(times, "2026-01-01T00:00:07Z", 2)).toEqual(["2026-01-01T00:10:07Z", "2026-01-01T00:20:07Z"]);
    expect(firstOf(times, "2026-01-01T03:00:00Z", 1)).toEqual(["2026-01-01T03:00:07Z"]);
    expect(firstOf(times, "2025-12-31T00:00:00Z", 1)).toEqual(["2026-01-01T00:10:07Z"]);
  });

  it("finds the newest times of a stretch as counting through it does, in any zone and around any change of a clock", () => {
    const zones = ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "UTC"];
    const crons = ["30 2 * * *", "*/15 1-3 * * *", "0 2,3 * * *", "45 1 * * 0", "0 0 29,30,31 * *"];
    const changes = ["2026-03-08", "2026-03-29", "2026-04-04", "2026-10-03", "2026-10-25", "2026-11-01", "2028-02-29"];
    fc.assert(
      fc.property(
        fc.constantFrom(...zones),
        fc.constantFrom(...crons),
        fc.constantFrom(...changes),
        fc.integer({ min: -36 * 3600, max: 36 * 3600 }),
        fc.integer({ min: 0, max: 48 * 3600 }),
        fc.integer({ min: 1, max: 9 }),
        (zone, expression, day, fromS, longS, count) => {
          const times = cron(expression, zone);
          const [after, through] = [at(day) + fromS * 1_000, at(day) + (fromS + longS) * 1_000];
          const all: number[] = [];
          for (let next = times.next(after); next !== undefined && next <= through; next = times.next(next))
            all.push(next);
          expect(times.between(after, through, count).map(iso)).toEqual(all.slice(-count).map(iso));
        },
      ),
      { numRuns: 300 },
    );
  });

  it.each([
    [{ cron: "0 3 * *", zone: "UTC" }, "cron", "give five fields"],
    [{ cron: "0 25 * * *", zone: "UTC" }, "cron", "give five fields"],
    [{ cron: "2026-01-01T00:00:00", zone: "UTC" }, "cron", "give five fields"],
    [{ cron: "0 0 30 2 *", zone: "UTC" }, "cron", "never comes"],
    [{ cron: "0 3 * * *", zone: "Europe/Atlantis" }, "zone", "no such time zone"],
  ])("says what is wrong with %j", (settings, field, message) => {
    const problem = timesProblem(settings);
    expect(problem).toMatchObject({ field });
    expect(problem?.message).toContain(message);
  });
});
