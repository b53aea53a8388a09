import { describe, expect, it } from "vitest";
import { reachedLimit } from "../../../src/core/dead-letters/growth.ts";

describe("dead letters that pile up", () => {
  it("are told at 20, and at each doubling, once", () => {
    const told: number[] = [];
    for (let open = 0; open < 200; open++) {
      const limit = reachedLimit(open, open + 1);
      if (limit !== undefined) told.push(limit);
    }
    expect(told).toEqual([20, 40, 80, 160]);
  });

  it("are told by the highest limit where many come together, and again only after they were fewer", () => {
    expect(reachedLimit(0, 100)).toBe(80);
    expect(reachedLimit(100, 100)).toBeUndefined();
    expect(reachedLimit(100, 10)).toBeUndefined();
    expect(reachedLimit(10, 25)).toBe(20);
  });
});
