import { describe, expect, it } from "vitest";
import { gapOf } from "../../../../src/core/introspection/gaps/gap-signal.ts";
import type { Signal } from "../../../../src/core/signals/signal.ts";

const AT = "2026-01-31T12:00:00.000Z";
const facts = {
  gap_type: "threshold",
  gap_name: "cpu_bottleneck",
  gap_category: "bottleneck",
  gap_reason: "97 % on average",
  alignment_score: 0.5,
  install_cost: 0.3,
  metadata: { reporters: ["gpu-01"] },
  raised_at: AT,
  last_seen_at: AT,
};
const signalWith = (facts: Record<string, unknown>): Signal => ({
  seq: 1,
  id: "g.1",
  signal: "CAPABILITY_GAP",
  source: "ganglion/observations",
  ecosystem: "e",
  timestamp: AT,
  received_at: AT,
  facts,
});

describe("a gap read from its signal", () => {
  it("gets a fingerprint where an earlier version wrote none, and ignores unknown facts", () => {
    const gap = gapOf(signalWith({ ...facts, added_later: true }));
    expect(gap).toMatchObject({ name: "cpu_bottleneck", status: "open", signal_id: "g.1", raised_at: AT });
    expect(gap.fingerprint).toMatch(/./);
    expect(gap).not.toHaveProperty("added_later");
  });

  it.each([
    ["raised_at", { ...facts, raised_at: undefined }],
    ["alignment_score", { ...facts, alignment_score: "high" }],
    ["metadata", { ...facts, metadata: null }],
    ["reopened", { ...facts, reopened: 1.5 }],
  ])("is refused with the name of the invalid field %s", (field, invalid) => {
    expect(() => gapOf(signalWith(invalid))).toThrow(field);
  });
});
