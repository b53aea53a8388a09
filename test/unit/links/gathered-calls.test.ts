import { describe, expect, it } from "vitest";
import { GatheredCalls } from "../../../src/core/links/gathered-calls.ts";
import fc from "../../fast-check.ts";

function gathered(more: { capacity?: number; callWeight?: number } = {}) {
  const calls: { items: readonly number[]; answer: () => void }[] = [];
  const lingers: (() => void)[] = [];
  const refused: number[] = [];
  const gathering = new GatheredCalls<number>({
    send: (items) => new Promise((answer) => calls.push({ items, answer })),
    linger: () => new Promise((end) => lingers.push(end)),
    refuse: (item) => refused.push(item),
    weigh: (item) => item,
    callWeight: 10,
    capacity: 100,
    ...more,
  });
  const settled = () => new Promise((resolve) => setImmediate(resolve));
  return { gathering, calls, lingers, refused, settled };
}

describe("calls for many senders", () => {
  it("begin with the first item at once, and gather the next until both answer and linger have come", async () => {
    const { gathering, calls, lingers, settled } = gathered();
    for (const item of [1, 2, 3]) gathering.add(item);
    expect(calls.map(({ items }) => items)).toEqual([[1]]);
    calls[0]?.answer();
    await settled();
    expect(calls).toHaveLength(1);
    gathering.add(4);
    lingers[0]?.();
    await settled();
    expect(calls.map(({ items }) => items)).toEqual([[1], [2, 3, 4]]);
  });

  it("take no more than a call may hold, and an item that is larger by itself", async () => {
    const { gathering, calls, lingers, settled } = gathered();
    for (const item of [1, 6, 6, 20, 1]) gathering.add(item);
    for (let call = 0; call < 5; call++) {
      calls[call]?.answer();
      for (const end of lingers) end();
      await settled();
    }
    expect(calls.map(({ items }) => items)).toEqual([[1], [6], [6], [20], [1]]);
  });

  it("refuse what exceeds the capacity", () => {
    const { gathering, refused } = gathered({ capacity: 5 });
    for (const item of [1, 3, 3, 2]) gathering.add(item);
    expect(refused).toEqual([3]);
  });

  it("keep the order and lose nothing, whenever answers come", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.oneof(fc.nat(9), fc.constant(-1)), { maxLength: 40 }), async (steps) => {
        const { gathering, calls, lingers, settled } = gathered({ capacity: 400 });
        const added: number[] = [];
        let answered = 0;
        const next = async () => {
          if (answered < calls.length) calls[answered++]?.answer();
          for (const end of lingers.splice(0)) end();
          await settled();
        };
        for (const step of steps) {
          if (step < 0) await next();
          else {
            gathering.add(step + 1);
            added.push(step + 1);
          }
        }
        while (answered < calls.length) await next();
        expect(calls.flatMap(({ items }) => items)).toEqual(added);
      }),
      { numRuns: 200 },
    );
  });
});
