import { describe, expect, it } from "vitest";
import { Spacing } from "../../../src/core/group-commit/spacing.ts";

describe("spacing", () => {
  it("lets the first happen at once, the next after the time, and one after a pause at once again", () => {
    const spacing = new Spacing(40);
    expect(spacing.dueMs(1_000)).toBe(1_000);
    spacing.happened(1_000);
    expect(spacing.dueMs(1_010)).toBe(1_040);
    expect(spacing.dueMs(5_000)).toBe(5_000);
  });

  it("makes nothing wait longer than the time where the clock was set back", () => {
    const spacing = new Spacing(40);
    spacing.happened(1_000_000);
    expect(spacing.dueMs(1_000)).toBe(1_040);
  });
});
