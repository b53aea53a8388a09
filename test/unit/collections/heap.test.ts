import { describe, expect, it } from "vitest";
import { Heap } from "../../../src/core/collections/heap.ts";
import fc from "../../fast-check.ts";

/** Few keys, so that many are equal. */
const anyKey = fc.integer({ min: -3, max: 3 });
const anyStep = fc.oneof(
  { arbitrary: anyKey.map((key) => ({ do: "push" as const, key })), weight: 4 },
  { arbitrary: fc.constant({ do: "pop" as const }), weight: 3 },
  { arbitrary: anyKey.map((below) => ({ do: "retain" as const, below })), weight: 1 },
);

describe("a heap", () => {
  it("gives the item with the smallest key after any pushes, pops and removals", () => {
    fc.assert(
      fc.property(fc.array(anyStep, { maxLength: 60 }), (steps) => {
        const heap = new Heap<{ readonly key: number }>();
        let model: { readonly key: number }[] = [];
        for (const step of steps) {
          const smallest = model.length === 0 ? undefined : Math.min(...model.map(({ key }) => key));
          if (step.do === "push") {
            const item = { key: step.key };
            heap.push(step.key, item);
            model.push(item);
          } else if (step.do === "pop") {
            const item = heap.pop();
            expect(item?.key).toBe(smallest);
            model = model.filter((one) => one !== item);
          } else {
            heap.retain(({ key }) => key < step.below);
            model = model.filter(({ key }) => key < step.below);
          }
          expect(heap.size).toBe(model.length);
          const first = model.length === 0 ? undefined : Math.min(...model.map(({ key }) => key));
          expect([heap.firstKey, heap.first?.key]).toEqual([first, first]);
        }
      }),
      { numRuns: 1_000 },
    );
  });

  it("is empty after its last item was popped", () => {
    const heap = new Heap<string>();
    heap.push(7, "only");
    expect([heap.pop(), heap.pop(), heap.size, heap.firstKey]).toEqual(["only", undefined, 0, undefined]);
  });
});
