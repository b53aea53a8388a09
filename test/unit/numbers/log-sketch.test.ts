import { expect, it } from "vitest";
import { LogSketch } from "../../../src/core/numbers/log-sketch.ts";
import fc from "../../fast-check.ts";

const durations = fc.array(
  fc.oneof(fc.double({ min: 1, max: 1e8, noNaN: true }), fc.constantFrom(0, 1, 1.02, 60_000)),
  {
    minLength: 1,
    maxLength: 200,
  },
);
const sketchOf = (values: readonly number[]) => {
  const sketch = new LogSketch();
  for (const value of values) sketch.add(value);
  return sketch;
};

it("tells any quantile within 1 % of the value that stands there", () => {
  fc.assert(
    fc.property(durations, fc.constantFrom(0, 0.5, 0.95, 0.99, 1), (values, share) => {
      const exact = values.toSorted((a, b) => a - b)[Math.floor(share * (values.length - 1))] ?? 0;
      const told = sketchOf(values).quantile(share) ?? Number.NaN;
      expect(Math.abs(told - exact)).toBeLessThanOrEqual(exact * 0.0101);
    }),
  );
});

it("adds up: two sketches merged, or read back from JSON, are the sketch of everything", () => {
  fc.assert(
    fc.property(durations, durations, fc.constantFrom(0, 0.5, 0.95, 1), (left, right, share) => {
      const merged = sketchOf(left).merge(new LogSketch(JSON.parse(JSON.stringify(sketchOf(right)))));
      expect(merged.quantile(share)).toBe(sketchOf([...left, ...right]).quantile(share));
      expect(merged.total).toBe(left.length + right.length);
    }),
  );
});

it("has no quantile of nothing", () => {
  expect(new LogSketch().quantile(0.5)).toBeNull();
});
