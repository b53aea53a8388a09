import { describe, expect, test } from "vitest";
import type { Sample } from "../../../src/core/observations/sample.ts";
import { ObservationWindow } from "../../../src/core/observations/window.ts";
import fc from "../../fast-check.ts";

const LIMITS = { windowMs: 1_000, capacity: 5 };

function sample(seq: number, tsMs: number): Sample {
  return {
    seq,
    id: `s${seq}`,
    trace: undefined,
    depth: 0,
    tsMs,
    reporter: "r",
    niche: null,
    ok: true,
    ttrMs: null,
    incidentId: null,
    facts: {},
  };
}

describe("the observation window", () => {
  test("agrees with a sorted list over any history, and its listener with what is inside", () => {
    const step = fc.oneof(
      fc.record({ add: fc.constantFrom(0, 1, 500, 999, 1_000, 1_001, 5_000) }),
      fc.record({ pass: fc.constantFrom(0, 1, 500, 999, 1_000) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 100 }), (history) => {
        const heard = new Map<number, Sample>();
        const window = new ObservationWindow(LIMITS, {
          observe: (item) => heard.set(item.seq, item),
          forget: (item) => expect(heard.delete(item.seq)).toBe(true),
        });
        let model: Sample[] = [];
        let nowMs = 10_000;
        let seq = 0;
        for (const event of history) {
          if ("add" in event) {
            const item = sample(++seq, nowMs - event.add);
            expect(window.add(item, nowMs)).toBe(event.add <= LIMITS.windowMs);
            if (event.add <= LIMITS.windowMs) model.push(item);
          } else nowMs += event.pass;
          window.advance(nowMs);
          model = model.filter(({ tsMs }) => tsMs >= nowMs - LIMITS.windowMs);
          model = model.toSorted((a, b) => a.tsMs - b.tsMs || a.seq - b.seq).slice(-LIMITS.capacity);
          expect(window.read(nowMs)).toEqual(model);
          expect(window.size).toBe(model.length);
          expect(new Set(heard.keys())).toEqual(new Set(model.map((item) => item.seq)));
          expect(window.read(nowMs, 500)).toEqual(model.filter(({ tsMs }) => tsMs >= nowMs - 500));
        }
      }),
      { numRuns: 1_000 },
    );
  });
});
