import { expect, test } from "vitest";
import type { Entry } from "../../../src/core/queue/entry.ts";
import { PayloadCache } from "../../../src/durable-objects/queue/payload-cache.ts";
import fc from "../../fast-check.ts";

const MEGABYTE = 1_000_000;
const entryOf = (chars: number) => ({ payloadJson: "x".repeat(chars) }) as Entry;

test("keeps the payloads that came last, up to eight million characters, whichever tasks end meanwhile", () => {
  const step = fc.oneof(
    fc.record({ add: fc.constantFrom(0, 1, MEGABYTE / 2, MEGABYTE, 3 * MEGABYTE, 8 * MEGABYTE, 8 * MEGABYTE + 1) }),
    fc.record({ end: fc.nat(20) }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const cache = new PayloadCache();
      const all: Entry[] = [];
      let kept: { entry: Entry; chars: number }[] = [];
      for (const step of steps) {
        if ("add" in step) {
          const entry = entryOf(step.add);
          all.push(entry);
          kept.push({ entry, chars: step.add });
          cache.add(entry);
          while (kept.reduce((sum, { chars }) => sum + chars, 0) > 8 * MEGABYTE) kept.shift();
        } else {
          const entry = all[step.end];
          if (entry === undefined) continue;
          cache.delete(entry);
          kept = kept.filter((one) => one.entry !== entry);
          all.splice(step.end, 1);
        }
        expect(cache.chars).toBe(kept.reduce((sum, { chars }) => sum + chars, 0));
        const cached = new Set(kept.map(({ entry }) => entry));
        expect(all.map((entry) => entry.payloadJson !== undefined)).toEqual(all.map((entry) => cached.has(entry)));
      }
    }),
    { numRuns: 1_000 },
  );
});
