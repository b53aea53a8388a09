import { describe, expect, it } from "vitest";
import { endpointPauseMs, judge, MAX_ATTEMPTS, pauseMs } from "../../../src/core/webhooks/schedule.ts";

describe("an answer", () => {
  it.each([200, 202, 204, 299])("%d is a success", (status) => {
    expect(judge({ status }, 0)).toEqual({ kind: "delivered" });
  });
  it.each([
    [{ status: 500 }, true],
    [{ status: 503 }, true],
    [{ status: 429 }, true],
    [{ status: 307 }, true],
    [{ error: "refused" }, true],
    [{ status: 400 }, false],
    [{ status: 404 }, false],
  ])("%j tells whether the endpoint fails, or only this message: %s", (answer, endpointFails) => {
    expect(judge(answer, 0)).toMatchObject({ kind: "failed", endpointFails });
  });
  it("410 is the end", () => expect(judge({ status: 410 }, 0)).toMatchObject({ kind: "gone" }));
  it.each([
    ["120", 120_000],
    ["Thu, 01 Jan 1970 00:01:10 GMT", 60_000],
    ["Thu, 01 Jan 1970 00:00:00 GMT", 0],
    ["999999999", 86_400_000],
    ["soon", undefined],
    [null, undefined],
  ])("that asks for a pause by %j gets it, a day at most", (retryAfter, retryAfterMs) => {
    expect(judge({ status: 503, retryAfter }, 10_000)).toMatchObject({ retryAfterMs });
  });
});

describe("attempts", () => {
  it("are close together at first and almost a day in all, never in step", () => {
    expect([pauseMs(1, 0), pauseMs(1, 1)]).toEqual([4_000, 6_000]);
    const total = Array.from({ length: MAX_ATTEMPTS - 1 }, (_, n) => pauseMs(n + 1, 0.5)).reduce((a, b) => a + b);
    expect(total / 3_600_000).toBeCloseTo(22.7, 1);
  });
  it("ask an endpoint that fails at least once an hour", () => {
    expect(endpointPauseMs(1, 0.5)).toBe(5_000);
    expect(endpointPauseMs(100, 0.5)).toBe(3_600_000);
  });
});
