import { describe, expect, it } from "vitest";
import { classifyResponse, endpointDelayMs, MAX_ATTEMPTS, retryDelayMs } from "../../../src/core/webhooks/schedule.ts";

describe("response of a webhook endpoint", () => {
  it.each([200, 202, 204, 299])("counts status %d as delivered", (status) => {
    expect(classifyResponse({ status }, 0)).toEqual({ kind: "delivered" });
  });
  it.each([
    [{ status: 500 }, true],
    [{ status: 503 }, true],
    [{ status: 429 }, true],
    [{ status: 307 }, true],
    [{ error: "refused" }, true],
    [{ status: 400 }, false],
    [{ status: 404 }, false],
  ])("classifies %j as a failure of the whole endpoint: %s", (answer, endpointFails) => {
    expect(classifyResponse(answer, 0)).toMatchObject({ kind: "failed", endpointFails });
  });
  it("counts a message that has no form as its own failure, and not the endpoint's", () => {
    expect(classifyResponse({ unsent: "no form" }, 0)).toMatchObject({ kind: "failed", endpointFails: false });
  });
  it("classifies 410 as gone", () => expect(classifyResponse({ status: 410 }, 0)).toMatchObject({ kind: "gone" }));
  it.each([
    ["120", 120_000],
    ["1.5", 1_500],
    ["0.065", 65],
    ["Thu, 01 Jan 1970 00:01:10 GMT", 60_000],
    ["Thu, 01 Jan 1970 00:00:00 GMT", 0],
    ["999999999", 86_400_000],
    ["soon", undefined],
    [null, undefined],
  ])("reads Retry-After %j as a delay of one day at most", (retryAfter, retryAfterMs) => {
    expect(classifyResponse({ status: 503, retryAfter }, 10_000)).toMatchObject({ retryAfterMs });
  });
});

describe("delays between webhook attempts", () => {
  it("start near five seconds, spread by a fifth, and add up to almost a day", () => {
    expect([retryDelayMs(1, 0), retryDelayMs(1, 1)]).toEqual([4_000, 6_000]);
    const total = Array.from({ length: MAX_ATTEMPTS - 1 }, (_, n) => retryDelayMs(n + 1, 0.5)).reduce((a, b) => a + b);
    expect(total / 3_600_000).toBeCloseTo(22.7, 1);
  });
  it("are at most one hour for a failing endpoint", () => {
    expect(endpointDelayMs(1, 0.5)).toBe(5_000);
    expect(endpointDelayMs(100, 0.5)).toBe(3_600_000);
  });
});
