import { describe, expect, test } from "vitest";
import { DailyBytes } from "../../../src/core/quotas/daily-bytes.ts";

const DAY_MS = 86_400_000;

describe("what a sender adds to a log in a day", () => {
  test("is bounded for each sender alone, and counted anew on the next day", () => {
    const daily = new DailyBytes({ QUOTA_LOG_MB: "1" });
    expect(daily.take("token:a", 999_999, 5)).toBeUndefined();
    expect(daily.take("token:a", 50_000, 6)).toBeUndefined();
    expect(daily.take("token:a", 1, 7)).toMatchObject({ problem: { status: 429 }, retry_after_ms: 60_000 });
    expect(daily.take("host:a", 1, 8)).toBeUndefined();
    expect(daily.excess(9)).toMatchObject([{ quota: "log_megabytes", sender: "token:a", refused: 1, limit: 1 }]);
    expect(daily.take("token:a", 1, DAY_MS)).toBeUndefined();
  });
});
