import { describe, expect, it } from "vitest";
import { resetMsOf } from "../../../src/core/limits/reset-time.ts";
import fc from "../../fast-check.ts";

/** A Saturday at noon, UTC: 13:00 in Berlin, 07:00 in New York. */
const NOW_MS = Date.UTC(2026, 0, 31, 12);
const DAY_MS = 86_400_000;

describe("the reset that the message of a refusal names", () => {
  it.each([
    ["Claude AI usage limit reached|1769878800", "2026-01-31T17:00:00.000Z"],
    ["usage limit; resets at 2026-01-31T18:30:00+01:00", "2026-01-31T17:30:00.000Z"],
    ["429 Too Many Requests, retry after 30 seconds", "2026-01-31T12:00:30.000Z"],
    ["Rate limit reached for gpt-5. Please try again in 1.5s.", "2026-01-31T12:00:01.500Z"],
    ["Please try again in 250ms", "2026-01-31T12:00:00.250Z"],
    ["You've hit your usage limit. Try again in 1 day 2 hours 3 minutes.", "2026-02-01T14:03:00.000Z"],
    ["try again in 1h20m", "2026-01-31T13:20:00.000Z"],
    ["5-hour limit reached ∙ resets 3pm (Europe/Berlin)", "2026-01-31T14:00:00.000Z"],
    ["Your limit will reset at 11:30pm (America/New_York).", "2026-02-01T04:30:00.000Z"],
    ["limit reached, resets 12am (UTC)", "2026-02-01T00:00:00.000Z"],
    ["limit reached, resets 12pm (Europe/London)", "2026-02-01T12:00:00.000Z"],
    ["limit reached, resets 9:15 (UTC)", "2026-02-01T09:15:00.000Z"],
    ["Weekly limit reached - resets Feb 3, 9am (America/New_York)", "2026-02-03T14:00:00.000Z"],
    ["resets Feb 3 at 9am (UTC)", "2026-02-03T09:00:00.000Z"],
  ])("is read from %j", (message, expected) => {
    expect(new Date(resetMsOf(message, NOW_MS) ?? 0).toISOString()).toBe(expected);
  });

  it.each([
    "API Error: Rate limit reached",
    "429 Too Many Requests",
    "limit reached, resets 3pm",
    "limit reached, resets 3pm (Mars/Olympus)",
    "limit reached, resets 13pm (UTC)",
    "limit reached, resets 9:75 (UTC)",
    "Claude AI usage limit reached|1600000000",
    "resets at 2026-01-31T11:59:59Z",
    "resets Mar 20, 9am (UTC)",
    "try again in 40 days",
    "try again in 1 month",
    "resets Foo 3, 9am (UTC)",
    "100 requests per minute, 5s apart",
    "",
  ])("is not guessed from %j", (message) => {
    expect(resetMsOf(message, NOW_MS)).toBeUndefined();
  });

  it("is that of the next year, where the day is over in this one", () => {
    const newYearsEve = Date.UTC(2026, 11, 31, 12);
    expect(resetMsOf("resets Jan 2, 9am (UTC)", newYearsEve)).toBe(Date.UTC(2027, 0, 2, 9));
  });

  it("lies ahead, and within a month, whatever a message says", () => {
    const words = fc.constantFrom(
      ..."resets reset at try again in retry after 3pm 12:30am (UTC) (Europe/Berlin) |1769878800 5 h 7m 99999999999 d Jan 32,".split(
        " ",
      ),
    );
    const messages = fc.oneof(
      fc.string({ maxLength: 2_000 }),
      fc.array(words, { maxLength: 12 }).map((all) => all.join(" ")),
    );
    fc.assert(
      fc.property(messages, fc.integer({ min: 0, max: 4_102_444_800_000 }), (message, nowMs) => {
        const atMs = resetMsOf(message, nowMs);
        if (atMs === undefined) return;
        expect(atMs).toBeGreaterThan(nowMs);
        expect(atMs).toBeLessThanOrEqual(nowMs + 31 * DAY_MS);
      }),
      { numRuns: 1_000 },
    );
  });

  it("takes no time to speak of to be looked for in a long message", () => {
    const startMs = performance.now();
    for (const long of ["resets ".repeat(500), "1 s ".repeat(2_000), `try again in ${"1m, and ".repeat(5_000)}`])
      resetMsOf(long, NOW_MS);
    expect(performance.now() - startMs).toBeLessThan(200);
  });
});
