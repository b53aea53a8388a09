import { describe, expect, test } from "vitest";
import { Rank, Ranking } from "../../../src/core/collections/ranking.ts";
import fc from "../../fast-check.ts";

describe("a ranking", () => {
  test("agrees with a search over all counts, whatever was counted before", () => {
    const step = fc.record({ who: fc.nat(3), more: fc.boolean() });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), (history) => {
        const ranking = new Ranking<number>();
        const ranks = [0, 1, 2, 3].map((who) => new Rank(who));
        /** Count and time at which it was reached. */
        const model = ranks.map(() => ({ count: 0, sinceStep: 0 }));
        for (const [place, { who, more }] of history.entries()) {
          const rank = ranks[who] as Rank<number>;
          const known = model[who] as { count: number; sinceStep: number };
          if (more) ranking.raise(rank);
          else ranking.lower(rank);
          if (more || known.count > 0) Object.assign(known, { count: known.count + (more ? 1 : -1), sinceStep: place });
          expect(ranks.map(({ count }) => count)).toEqual(model.map(({ count }) => count));
          const [first] = model
            .map((one, owner) => ({ ...one, owner }))
            .filter(({ count }) => count > 0)
            .sort((a, b) => b.count - a.count || a.sinceStep - b.sinceStep);
          expect(ranking.most).toBe(first?.owner);
        }
      }),
      { numRuns: 1_000 },
    );
  });
});
