import { describe, expect, test } from "vitest";
import { isAmount } from "../../../src/core/introspection/scanners/facts.ts";
import { RunningMean } from "../../../src/core/numbers/running-mean.ts";
import { RunningMoments } from "../../../src/core/numbers/running-moments.ts";
import fc from "../../fast-check.ts";

const meanOf = (values: readonly number[]) => {
  const mean = new RunningMean();
  for (const value of values) mean.add(value);
  return mean;
};

describe("a mean of numbers that come and go", () => {
  test("is that of the numbers that are left, to the last bit, whoever came and left before and in whatever order", () => {
    // Of every size at once: the small ones have no room beside the large ones in a plain sum.
    const anyNumber = fc.oneof(
      fc.constantFrom(0, 0.1, 0.3, 1, 1e300, 2 ** 53, 2 ** -1_074),
      fc.double({ min: 0, max: 1e9, noNaN: true }),
      fc.double({ min: 0, max: 1e300, noNaN: true }),
    );
    const numbers = fc.array(fc.tuple(anyNumber, fc.nat(2)), { maxLength: 60 });
    fc.assert(
      fc.property(numbers, (all) => {
        const mean = meanOf(all.map(([value]) => value));
        // Some leave in the order of their coming, then others in the order of their size.
        const gone = all.filter(([, turn]) => turn === 1).map(([value]) => value);
        const sorted = all.filter(([, turn]) => turn === 2).map(([value]) => value);
        for (const value of [...gone, ...sorted.sort((a, b) => a - b)]) mean.remove(value);
        const left = all.filter(([, turn]) => turn === 0).map(([value]) => value);
        expect(mean.count).toBe(left.length);
        expect(mean.mean).toBe(meanOf(left.toReversed()).mean);
        if (left.every((value) => value === 0) && left.length > 0) expect(mean.mean).toBe(0);
      }),
      { numRuns: 1_000 },
    );
  });

  test("of equal numbers is that number, however many they are", () => {
    for (const value of [0.1, 0.3, 85.1, 90.1, 1e-9])
      for (let count = 1; count <= 60; count++) expect(meanOf(Array(count).fill(value)).mean).toBe(value);
  });

  test("of nothing is no number", () => {
    expect(new RunningMean().mean).toBeNaN();
    const mean = meanOf([7]);
    mean.remove(7);
    expect(mean.mean).toBeNaN();
  });

  test("takes a window full of the largest amounts", () => {
    expect(isAmount(1e300)).toBe(true);
    expect([Number.MAX_VALUE, Infinity, Number.NaN, -1, "1"].filter(isAmount)).toEqual([]);
    expect(meanOf(Array(100_000).fill(1e300)).mean).toBe(1e300);
  });
});

test("moments of numbers that are left do not depend on those that have gone", () => {
  const moments = new RunningMoments();
  for (const value of [20, 0.001, 3, 4, 5]) moments.add(value);
  for (const value of [20, 0.001]) moments.remove(value);
  expect([moments.count, moments.mean, moments.variance]).toEqual([3, 4, 1]);
});
