import { describe, expect, test } from "vitest";
import { LogHistogram } from "../../../src/core/numbers/log-histogram.ts";
import fc from "../../fast-check.ts";

const anyNumber = fc.oneof(fc.double({ min: -1e12, max: 1e12, noNaN: true }), fc.constantFrom(0, -0, 1, -1, 1e-12));
const of = (values: readonly number[]) => {
  const histogram = new LogHistogram();
  for (const value of values) histogram.add(value);
  return histogram;
};

describe("the histogram", () => {
  test("knows every quantile to within one percent", () => {
    fc.assert(
      fc.property(
        fc.array(anyNumber, { minLength: 1, maxLength: 200 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (values, share) => {
          const rank = Math.max(1, Math.ceil(share * values.length - 1e-9));
          const exact = values.toSorted((a, b) => a - b)[rank - 1] ?? 0;
          expect(Math.abs(of(values).quantile(share) - exact)).toBeLessThanOrEqual(Math.abs(exact) * 0.010_001 + 1e-9);
        },
      ),
    );
  });

  test("forgets, merges and comes back from its encoding as if made of what is left", () => {
    fc.assert(
      fc.property(fc.array(anyNumber, { maxLength: 100 }), fc.array(anyNumber, { maxLength: 100 }), (kept, gone) => {
        const histogram = of([...gone, ...kept]);
        for (const value of gone) histogram.remove(value);
        const half = of(kept.slice(0, kept.length >> 1));
        half.merge(of(kept.slice(kept.length >> 1)));
        expect(histogram.encode()).toEqual(of(kept).encode());
        expect(half.encode()).toEqual(of(kept).encode());
        const back = LogHistogram.decode(JSON.parse(JSON.stringify(histogram.encode())));
        expect([back.count, back.quantile(0.5)]).toEqual([histogram.count, histogram.quantile(0.5)]);
      }),
    );
  });

  test("comes back from its entries, one bucket for each number again", () => {
    fc.assert(
      fc.property(fc.array(anyNumber, { maxLength: 100 }), (numbers) => {
        const histogram = of(numbers);
        const back = new LogHistogram();
        for (const [value, times] of histogram.entries()) back.add(value, times);
        expect(back.encode()).toEqual(histogram.encode());
      }),
    );
  });

  test("refuses to forget what it never had", () => {
    expect(() => of([1]).remove(1_000)).toThrow("was not added");
  });
});
