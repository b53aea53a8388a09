import { describe, expect, test } from "vitest";
import type { Sample } from "../../../../src/core/introspection/window/sample.ts";
import { ObservationWindow } from "../../../../src/core/introspection/window/window.ts";
import fc from "../../../fast-check.ts";

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
    party: { sender: "", source: "t" },
    bytes: 300,
  };
}

/** Compared as text: comparing samples field by field would be most of what the test does. */
const seqs = (samples: readonly Sample[]) => `[${samples.map(({ seq }) => seq)}]`;
const byTime = (a: Sample, b: Sample) => a.tsMs - b.tsMs || a.seq - b.seq;

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
          forget: (item) => {
            if (!heard.delete(item.seq)) throw new Error(`${item.seq} leaves without having come, or twice`);
          },
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
          model = model.toSorted(byTime).slice(-LIMITS.capacity);
          const recent = model.filter(({ tsMs }) => tsMs >= nowMs - 500);
          const told = [
            window.read(nowMs),
            window.read(nowMs, 500),
            window.read(nowMs, 5_000),
            [...heard.values()].sort(byTime),
          ];
          expect(`${window.size}: ${told.map(seqs)}`).toBe(
            `${model.length}: ${[model, recent, model, model].map(seqs)}`,
          );
        }
      }),
      { numRuns: 1_000 },
    );
  });

  test("lets the oldest leave where the samples take too much memory, and says for which limit", () => {
    const left: string[] = [];
    const window = new ObservationWindow({ ...LIMITS, bytes: 1_000 }, undefined, ({ seq }, by) =>
      left.push(`${seq} ${by}`),
    );
    for (let seq = 1; seq <= 4; seq++) window.add(sample(seq, seq), 5);
    expect([seqs(window.all()), window.bytes, left]).toEqual(["[2,3,4]", 900, ["1 bytes"]]);
    window.add({ ...sample(5, 5), bytes: 2_000 }, 5);
    expect([window.size, window.bytes]).toEqual([0, 0]);
  });
});
