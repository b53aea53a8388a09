import { describe, expect, it } from "vitest";
import { overQuota, quotaOf, retryAfterOf } from "../../../src/core/quotas/token-quotas.ts";

describe("the quota of a token", () => {
  it("is far above fifty hosts with twenty agents each", () => {
    expect(quotaOf("hosts", {})).toBeGreaterThan(10 * 50);
    expect(quotaOf("links", {})).toBeGreaterThan(10 * 50);
    expect(quotaOf("queues", {})).toBeGreaterThanOrEqual(1_000);
  });

  it("is what the variable says, where that is a whole number", () => {
    expect(quotaOf("hosts", { QUOTA_HOSTS: "3" })).toBe(3);
    for (const text of ["", "0", "-1", "many", "1.5", "1e400"])
      expect(quotaOf("hosts", { QUOTA_HOSTS: text })).toBe(quotaOf("hosts", {}));
  });

  it("is named with its limit, its setting and what frees something where it is exceeded", () => {
    const refusal = overQuota("queues", 3);
    expect(refusal).toMatchObject({ type: "/problems/over-quota", status: 429, quota: "queues", limit: 3 });
    expect(refusal.detail).toContain("3 queues");
    expect(refusal.detail).toContain("QUOTA_QUEUES");
  });

  it("says when to come again for links alone, which end by themselves", () => {
    expect(retryAfterOf("links")).toBe(60);
    expect(retryAfterOf("hosts")).toBeUndefined();
  });
});
