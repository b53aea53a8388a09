import { describe, expect, test } from "vitest";
import { rowAfterKey, scrollFor, windowOf } from "../../../dashboard/parts/virtual-rows.ts";
import fc from "../../fast-check.ts";

describe("rows of a long list", () => {
  test("hold all that is seen, and only a few more, wherever the reader is", () => {
    fc.assert(
      fc.property(fc.nat(100_000), fc.nat(3_000_000), fc.integer({ min: 1, max: 2_000 }), (count, top, height) => {
        const { first, end } = windowOf(top, height, 28, count);
        expect(first).toBeGreaterThanOrEqual(0);
        expect(end).toBeLessThanOrEqual(count);
        expect(end - first).toBeLessThanOrEqual(height / 28 + 15);
        for (const row of [Math.floor(top / 28), Math.floor((top + height - 1) / 28)]) {
          if (row < count) expect(row >= first && row < end).toBe(true);
        }
      }),
    );
  });

  test("are walked by keys, and not beyond their ends", () => {
    expect(rowAfterKey("ArrowDown", 4, 10, 5)).toBe(5);
    expect(rowAfterKey("ArrowUp", 0, 10, 5)).toBe(0);
    expect(rowAfterKey("PageDown", 7, 10, 5)).toBe(9);
    expect(rowAfterKey("Home", 7, 10, 5)).toBe(0);
    expect(rowAfterKey("End", 0, 10, 5)).toBe(9);
    expect(rowAfterKey("ArrowDown", -1, 10, 5)).toBe(0);
  });

  test("mean nothing to other keys, or where there are none", () => {
    expect(rowAfterKey("a", 4, 10, 5)).toBeUndefined();
    expect(rowAfterKey("ArrowDown", -1, 0, 5)).toBeUndefined();
  });

  test("are scrolled no further than is needed to see one", () => {
    expect(scrollFor(2, 100, 280, 28)).toBe(56);
    expect(scrollFor(20, 0, 280, 28)).toBe(308);
    expect(scrollFor(5, 28, 280, 28)).toBe(28);
  });
});
