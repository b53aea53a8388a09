import { describe, expect, test } from "vitest";
import { hashKey, keyFilter, mayHoldKey } from "../../../../src/core/signals/log/key-filter.ts";
import fc from "../../../fast-check.ts";

describe("a filter over ids", () => {
  test("never denies an id that it was made from", () => {
    const ids = fc.array(fc.string({ maxLength: 40 }), { maxLength: 300 });
    fc.assert(
      fc.property(ids, (names) => {
        const hashes = names.map((name) => hashKey("cause", name));
        const filter = keyFilter(hashes);
        expect(hashes.every((hash) => mayHoldKey(filter, hash))).toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  test.each([
    ["numbered", (n: number) => `gpu-01.x7.bus.${n}`],
    ["random", (n: number) => `${((n + 1) * 2_654_435_761).toString(16)}-${n}`],
  ])("denies nearly every other id: %s ones", (_, name) => {
    const hashes = Array.from({ length: 10_000 }, (_, n) => hashKey("id", name(n)));
    const filter = keyFilter(hashes);
    const wrong = Array.from({ length: 10_000 }, (_, n) => hashKey("id", name(n + 10_000))).filter((hash) =>
      mayHoldKey(filter, hash),
    );
    expect(wrong.length).toBeLessThan(300);
  });

  test("does not take an id for a cause", () => {
    const filter = keyFilter([hashKey("id", "a")]);
    expect(mayHoldKey(filter, hashKey("id", "a"))).toBe(true);
    expect(mayHoldKey(filter, hashKey("cause", "a"))).toBe(false);
  });

  test("over nothing denies everything, and stays bounded over very many", () => {
    expect(mayHoldKey(keyFilter([]), hashKey("id", "a"))).toBe(false);
    const many = Array.from({ length: 262_144 }, (_, n) => hashKey("id", String(n)));
    const filter = keyFilter(many);
    expect(filter.length).toBeLessThanOrEqual(350_000);
    expect(JSON.stringify(filter).length).toBe(filter.length + 2);
    expect(many.every((hash) => mayHoldKey(filter, hash))).toBe(true);
  });
});
