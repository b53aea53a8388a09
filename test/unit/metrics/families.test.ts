import { describe, expect, it } from "vitest";
import { FAMILIES } from "../../../src/core/metrics/families.ts";

describe("the table of families", () => {
  it("has each name once, and no name that is one of another family's samples", () => {
    const samples = FAMILIES.flatMap(({ name, type }) =>
      type === "counter"
        ? [name, `${name}_total`]
        : type === "histogram"
          ? ["", "_bucket", "_sum", "_count"].map((end) => name + end)
          : [name],
    );
    expect(samples.filter((name, place) => samples.indexOf(name) !== place)).toEqual([]);
  });

  it("ends each name in its unit, and in nothing that stands for a type", () => {
    for (const { name, unit } of FAMILIES) {
      expect(name).toMatch(/^ganglion_[a-z_]+$/);
      expect(name).not.toMatch(/_(?:total|info|count|sum|bucket|created)$/);
      if (unit !== undefined) expect(name.endsWith(`_${unit}`)).toBe(true);
      else expect(name).not.toMatch(/_(?:seconds|bytes|dollars)$/);
    }
  });

  it("has a help for each, which ends in no full stop, and labels that are no ids", () => {
    for (const { help, labels } of FAMILIES) {
      expect(help).toMatch(/^[A-Z].*[^.]$/);
      for (const label of labels) expect(label).not.toMatch(/^(?:id|path|url|task|signal|host|le)$/);
    }
  });
});
