import { describe, expect, it } from "vitest";
import { Patience } from "../../../local-edge/lock.ts";

const other = { url: "http://127.0.0.1:8787", pid: 1234 };

describe("an edge that finds its state directory locked", () => {
  it("waits three seconds for an edge that runs, or of which nothing is written", () => {
    for (const holder of [other, undefined]) {
      expect(new Patience().lasts(2_999, holder)).toBe(true);
      expect(new Patience().lasts(3_000, holder)).toBe(false);
    }
  });

  it("waits twenty seconds for an edge that is stopping, also when that has just removed what it wrote", () => {
    const patience = new Patience();
    expect(patience.lasts(2_999, other)).toBe(true);
    expect(patience.lasts(3_000, { ...other, stopping: true })).toBe(true);
    expect(patience.lasts(19_999, undefined)).toBe(true);
    expect(patience.lasts(20_000, undefined)).toBe(false);
  });
});
