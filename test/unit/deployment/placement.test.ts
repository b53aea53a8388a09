import { describe, expect, it } from "vitest";
import { readPlacement, SettingError } from "../../../src/core/deployment/placement.ts";

describe("the placement of objects", () => {
  it.each([[{}], [{ LOCATION_HINT: "", JURISDICTION: "" }]])(
    "is the platform's choice with the variables %j",
    (set) => {
      expect(readPlacement(set)).toEqual({ locationHint: undefined, jurisdiction: undefined });
    },
  );

  it("is near the hint and within the jurisdiction that the variables name", () => {
    expect(readPlacement({ LOCATION_HINT: "weur", JURISDICTION: "eu" })).toEqual({
      locationHint: "weur",
      jurisdiction: "eu",
    });
  });

  it.each([
    [{ LOCATION_HINT: "europe" }, /LOCATION_HINT is "europe": set it to one of wnam, /],
    [{ JURISDICTION: "EU" }, /JURISDICTION is "EU": set it to one of eu, /],
    [{ JURISDICTION: " eu" }, /JURISDICTION/],
  ])("is refused with what to do for %j, and never replaced by a default", (set, words) => {
    expect(() => readPlacement(set)).toThrow(SettingError);
    expect(() => readPlacement(set)).toThrow(words);
  });
});
