import { describe, expect, it } from "vitest";
import { LabelledCounts, StoredCounts } from "../../../src/core/collections/labelled-counts.ts";

const restored = (counts: LabelledCounts) =>
  new LabelledCounts(StoredCounts.parse(JSON.parse(JSON.stringify(counts.take()))));

describe("counts by label", () => {
  it("have fifty values of each label, and the others together, as often as they are stored", () => {
    let counts = new LabelledCounts(undefined);
    for (let n = 0; n < 60; n++) {
      counts.add("decisions", [`rule-${n}`, "fired"]);
      counts = restored(counts);
    }
    const list = counts.list();
    expect(list).toHaveLength(51);
    expect(list).toContainEqual(["decisions", ["other", "fired"], 10]);
    expect(counts.folded).toBe(10);
    // A value that has a place keeps it.
    counts.add("decisions", ["rule-0", "fired"]);
    expect(counts.list()).toContainEqual(["decisions", ["rule-0", "fired"], 2]);
    expect(counts.folded).toBe(10);
  });

  it("are changed from what is counted until they are taken for the store", () => {
    const counts = new LabelledCounts(undefined);
    expect(counts.changed).toBe(false);
    counts.add("late");
    expect(counts.changed).toBe(true);
    expect(restored(counts).changed).toBe(false);
    expect(counts.changed).toBe(false);
    expect(counts.list()).toEqual([["late", [], 1]]);
  });
});
