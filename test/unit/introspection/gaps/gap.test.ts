import { describe, expect, it } from "vitest";
import type { Gap } from "../../../../src/core/introspection/api.ts";
import { fingerprintOf, readStoredGap } from "../../../../src/core/introspection/gaps/gap.ts";

const GAP: Gap = {
  name: "cpu_bottleneck",
  fingerprint: fingerprintOf("resources", "cpu_bottleneck"),
  category: "resources",
  type: "performance",
  reason: "the CPU is busy",
  alignment_score: 0.5,
  install_cost: 0.2,
  metadata: { metric: "cpu_percent", value: 97 },
  status: "open",
  raised_at: "2026-01-31T12:00:00.000Z",
  last_seen_at: "2026-01-31T12:01:00.000Z",
};

describe("a stored gap", () => {
  it("is read as it was written", () => {
    const reopened: Gap = { ...GAP, reopened: 2, signal_id: "gap-1" };
    expect(readStoredGap(JSON.stringify(GAP))).toEqual(GAP);
    expect(readStoredGap(JSON.stringify(reopened))).toEqual(reopened);
  });

  it("gets the fingerprint of its name and category where none was stored", () => {
    const { fingerprint, ...older } = GAP;
    expect(readStoredGap(JSON.stringify(older))).toEqual({ ...older, fingerprint });
  });

  it("is refused where a field is missing or the text is not JSON", () => {
    const { raised_at: _, ...incomplete } = GAP;
    expect(() => readStoredGap(JSON.stringify(incomplete))).toThrow();
    expect(() => readStoredGap("{")).toThrow();
  });
});
