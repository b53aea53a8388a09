import { describe, expect, it } from "vitest";
import { compilePatterns, globMatches } from "../../../src/core/signals/pattern.ts";
import { patternsMeet, unionOfPatterns } from "../../../src/core/signals/pattern-union.ts";
import fc from "../../fast-check.ts";

const glob = fc.string({ unit: fc.constantFrom("A", "B", "*"), minLength: 1, maxLength: 5 });
const name = fc.string({ unit: fc.constantFrom("A", "B"), minLength: 1, maxLength: 6 });
const pattern = fc.tuple(fc.boolean(), glob).map(([not, text]) => (not ? `!${text}` : text));

describe("the union of patterns", () => {
  it("matches whatever one of the lists matches", () => {
    fc.assert(
      fc.property(
        fc.array(fc.array(pattern, { minLength: 1, maxLength: 4 }), { minLength: 1, maxLength: 4 }),
        name,
        (lists, one) => {
          const union = compilePatterns(unionOfPatterns(lists));
          if (lists.some((list) => compilePatterns(list)(one))) expect(union(one)).toBe(true);
        },
      ),
      { numRuns: 1_000 },
    );
  });

  it("does not ask for observations because somebody wants something else, too", () => {
    expect(unionOfPatterns([["*", "!OBSERVATION"], ["Q_TASK_*"]])).toEqual(["*", "!OBSERVATION"]);
    expect(unionOfPatterns([["*", "!OBSERVATION"], ["OBSERVATION"]])).toEqual(["*"]);
    expect(unionOfPatterns([["Q_A"], ["Q_B", "!Q_*_X"]])).toEqual(["Q_A", "Q_B", "!Q_*_X"]);
  });

  it("fits into a subscription however many there are", () => {
    expect(unionOfPatterns(Array.from({ length: 100 }, (_, n) => [`Q_${n}`, "!OBSERVATION"]))).toEqual([
      "*",
      "!OBSERVATION",
    ]);
  });

  it("knows whether two patterns have a name in common", () => {
    fc.assert(
      fc.property(glob, glob, name, (one, other, each) => {
        if (globMatches(one, each) && globMatches(other, each)) expect(patternsMeet(one, other)).toBe(true);
        expect(patternsMeet(one, other)).toBe(patternsMeet(other, one));
      }),
      { numRuns: 1_000 },
    );
    expect(patternsMeet("A*B", "A*C")).toBe(false);
    expect(patternsMeet("Q_*", "*_X")).toBe(true);
    expect(patternsMeet("Q_A", "R*")).toBe(false);
  });
});
