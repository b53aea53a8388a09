import { describe, expect, it } from "vitest";
import { ExpiringMap } from "../../../src/core/collections/expiring-map.ts";
import fc from "../../fast-check.ts";

describe("ExpiringMap", () => {
  it("holds what a map without end would hold, less what ended and what made room", () => {
    const step = fc.record({ key: fc.constantFrom(..."abcdef"), waitMs: fc.nat({ max: 60 }) });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const map = new ExpiringMap<number>(3, 100);
        let model: { key: string; value: number; setMs: number }[] = [];
        let nowMs = 0;
        for (const [value, { key, waitMs }] of steps.entries()) {
          nowMs += waitMs;
          map.set(key, value, nowMs);
          model = [...model.filter((entry) => entry.key !== key), { key, value, setMs: nowMs }]
            .filter(({ setMs }) => setMs + 100 > nowMs)
            .slice(-3);
          expect(map.size).toBe(model.length);
          for (const each of "abcdef")
            expect(map.get(each, nowMs)).toBe(model.find((entry) => entry.key === each)?.value);
        }
      }),
    );
  });

  it("does not hold an entry at the moment at which it ends", () => {
    const map = new ExpiringMap<true>(3, 100);
    map.set("a", true, 1_000);
    expect([map.has("a", 1_099), map.has("a", 1_100)]).toEqual([true, false]);
  });
});
