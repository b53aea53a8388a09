import { describe, expect, it } from "vitest";
import { problem } from "../../../src/core/problem/problem.ts";
import { dailyBytesLeft, rateLimitHeaders, rateLimitOf } from "../../../src/core/problem/rate-limit.ts";
import { overQuota, type TokenQuota } from "../../../src/core/quotas/token-quotas.ts";

const headersOf = (refused: ReturnType<typeof problem>) => {
  const limit = rateLimitOf(refused);
  return limit === undefined ? undefined : rateLimitHeaders(limit);
};

/** A list of one item as structured fields write it (RFC 9651): a string, and parameters that are whole numbers or strings. */
const ITEM = /^"[a-z_-]+"(;[a-z]+=(\d{1,15}|"[a-z_-]+"))*$/;

describe("the headers of a quota", () => {
  it("say what a sender may add to a log today, what is left of it, and when a day begins", () => {
    expect(rateLimitHeaders(dailyBytesLeft(4_000, 1_234, 3_600))).toEqual({
      "RateLimit-Policy": '"log_bytes";q=4000000000;qu="content-bytes";w=86400',
      RateLimit: '"log_bytes";r=1234;t=3600',
    });
    expect(rateLimitHeaders(dailyBytesLeft(1, -5, 60)).RateLimit).toBe('"log_bytes";r=0;t=60');
  });

  it.each<TokenQuota>(["hosts", "links", "queues", "ecosystems", "dead_letters", "log_megabytes"])(
    "are structured fields that say that nothing is left of the quota %s",
    (quota) => {
      const headers = headersOf(overQuota(quota, 7));
      expect(headers?.RateLimit).toContain(";r=0");
      for (const value of Object.values(headers ?? {})) expect(value).toMatch(ITEM);
    },
  );

  it("name a full queue and what is allowed one at a time, with the time after which there is more", () => {
    expect(headersOf(problem("queue-full", 429, "The queue is full", "…", { capacity: 250_000 }))).toEqual({
      "RateLimit-Policy": '"queue-full";q=250000;qu="tasks"',
      RateLimit: '"queue-full";r=0',
    });
    expect(headersOf(problem("simulation-running", 429, "…", "…", { retry_after_ms: 1_200 }))).toEqual({
      RateLimit: '"simulation-running";r=0;t=2',
    });
  });

  it("stand on no other refusal", () => {
    expect(rateLimitOf(problem("overloaded", 503, "Overloaded", "…", { retry_after_ms: 250 }))).toBeUndefined();
  });
});
