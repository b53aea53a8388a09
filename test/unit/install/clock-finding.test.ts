import { expect, it } from "vitest";
import { clockFinding } from "../../../local-agent/install/doctor/edge-checks.ts";

const EDGE_MS = Date.UTC(2026, 0, 1, 12, 0, 0);
const found = (askedMs: number, answeredMs: number) =>
  clockFinding(new Date(EDGE_MS).toUTCString(), EDGE_MS + askedMs, EDGE_MS + answeredMs);

it.each([
  [0, 10],
  [900, 910],
  [-1_900, -1_890],
  [2_900, 2_910],
])("finds a clock right that agrees within two seconds: asked at %i ms, answered at %i ms", (askedMs, answeredMs) => {
  expect(found(askedMs, answeredMs).verdict).toBe("ok");
});

it("the check of the clock says that it does not know where the edge sends no time", () => {
  expect(clockFinding(null, EDGE_MS, EDGE_MS)).toMatchObject({ check: "clock", verdict: "unknown" });
});

it("the check of the clock does not take a slow answer for a wrong clock", () => {
  expect(found(0, 30_000).verdict).toBe("ok");
  expect(found(-30_000, 900).verdict).toBe("ok");
});

it.each([
  [4_000, 4_010, "warning", "3.0 s ahead of the edge"],
  [-4_010, -4_000, "warning", "4.0 s behind the edge"],
  [90_000, 90_010, "error", "89.0 s ahead of the edge"],
  [-90_000, -80_000, "error", "80.0 s behind the edge"],
])(
  "tells a difference that is there for sure: asked at %i ms, answered at %i ms",
  (askedMs, answeredMs, verdict, words) => {
    const finding = found(askedMs, answeredMs);
    expect(finding.verdict).toBe(verdict);
    expect(finding.detail).toContain(words);
  },
);
