import { describe, expect, test } from "vitest";
import { FairQueue, type Held } from "../../../src/core/collections/fair-queue.ts";
import fc from "../../fast-check.ts";

describe("FairQueue", () => {
  test("agrees with a plain list over any history", () => {
    const step = fc.oneof(
      {
        weight: 4,
        arbitrary: fc.record({ sender: fc.constantFrom("a", "b", "c"), source: fc.constantFrom("x", "y") }),
      },
      { weight: 1, arbitrary: fc.record({ remove: fc.nat(20) }) },
      { weight: 2, arbitrary: fc.constantFrom("first" as const, "last" as const) },
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (history) => {
        const queue = new FairQueue<number>((a, b) => a <= b);
        let model: Held<number>[] = [];
        let next = 0;
        for (const one of history) {
          if (typeof one === "object" && "sender" in one) {
            // Every third comes late.
            const item = ++next % 3 === 0 ? next - 2.5 : next;
            model.push(queue.add(item, one));
          } else if (typeof one === "object") {
            const gone = model[one.remove % Math.max(1, model.length)];
            if (gone !== undefined) queue.remove(gone);
            if (gone !== undefined) queue.remove(gone);
            model = model.filter((other) => other !== gone);
          } else {
            const found = one === "first" ? queue.firstOfGreediest() : queue.lastOfGreediest();
            expect(found === undefined).toBe(model.length === 0);
            if (found === undefined) continue;
            const of = (sender: string, source?: string) =>
              model.filter(({ party }) => party.sender === sender && (source ?? party.source) === party.source);
            const { sender, source } = found.party;
            const own = of(sender, source);
            expect(of(sender).length).toBe(Math.max(...["a", "b", "c"].map((each) => of(each).length)));
            expect(own.length).toBe(Math.max(...["x", "y"].map((each) => of(sender, each).length)));
            const items = own.map(({ item }) => item);
            expect(found.item).toBe(one === "first" ? Math.min(...items) : Math.max(...items));
            queue.remove(found);
            model = model.filter((other) => other !== found);
          }
          expect([...queue.all()].map(({ item }) => item).sort((a, b) => a - b)).toEqual(
            model.map(({ item }) => item).sort((a, b) => a - b),
          );
          expect(queue.size).toBe(model.length);
        }
      }),
      { numRuns: 500 },
    );
  });
});
