import { expect, test } from "vitest";
import { ALL_SCANNERS } from "../../../src/core/introspection/scanners/all-scanners.ts";
import { SampleGroup } from "../../../src/core/introspection/scanners/sample-group.ts";
import type { Sample } from "../../../src/core/introspection/window/sample.ts";
import fc from "../../fast-check.ts";
import { aSample } from "../introspection/scanners/a-sample.ts";

const anyFacts = fc.oneof(
  fc.record({ task_type: fc.constantFrom("a", "b"), tokens_per_sec: fc.double({ min: 0, max: 20, noNaN: true }) }),
  fc.record({
    cpu_percent: fc.double({ min: 70, max: 100, noNaN: true }),
    ram_percent: fc.double({ min: 0, max: 100, noNaN: true }),
  }),
  fc.record({
    gpu_utilization: fc.integer({ min: 30, max: 70 }),
    gpu_memory_used_mb: fc.constant(3),
    gpu_memory_total_mb: fc.constant(7),
  }),
  fc.record({ operation: fc.constantFrom("x", "y"), duration_ms: fc.constantFrom(1, 900, 1_000, 1_001, 5_000.5) }),
  fc.record({ queue_name: fc.constant("q"), depth: fc.integer({ min: 0, max: 300 }) }),
  fc.record({
    context_length: fc.constant(100),
    references: fc.array(fc.integer({ min: 0, max: 100 }), { maxLength: 4 }),
  }),
  fc.record({ variant: fc.constantFrom("u", "v"), brainmod: fc.constantFrom("m", "n") }),
);

/** Findings as text, in one order. To the last digit: what has gone leaves no trace. */
function told(findings: Iterable<{ readonly name: string }>): string {
  return JSON.stringify([...findings].sort((a, b) => (a.name < b.name ? -1 : 1)));
}

test("whatever came and went, every scanner says what it would say of the samples inside alone", () => {
  const anySample = fc.record({
    facts: anyFacts,
    reporter: fc.constantFrom("r", "s"),
    ok: fc.boolean(),
    ttrMs: fc.option(fc.double({ min: 0.1, max: 1e6, noNaN: true })),
  });
  fc.assert(
    fc.property(
      fc.array(anySample, { minLength: 20, maxLength: 120 }),
      fc.array(fc.nat(), { maxLength: 100 }),
      (all, leaving) => {
        const samples = all.map(({ facts, ...more }, place) => aSample(place + 1, facts, more));
        for (const kind of ALL_SCANNERS) {
          const settings = kind.settings.parse({ min_samples: 5 });
          const scanner = kind.open(settings);
          const inside = new Set<Sample>();
          for (const sample of samples) {
            scanner.observe(sample);
            inside.add(sample);
          }
          for (const place of leaving) {
            const sample = [...inside][place % Math.max(1, inside.size)];
            if (sample === undefined) break;
            scanner.forget(sample);
            inside.delete(sample);
          }
          const fresh = kind.open(settings);
          for (const sample of inside) fresh.observe(sample);
          expect(told(scanner.findings())).toBe(told(fresh.findings()));
        }
      },
    ),
    { numRuns: 200 },
  );
});

test("a group knows its ends whoever leaves first", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 40 }), fc.array(fc.nat(), { maxLength: 39 }), (count, leaving) => {
      const group = new SampleGroup();
      const inside = Array.from({ length: count }, (_, place) => aSample(place + 1, {}));
      for (const sample of inside) group.add(sample);
      for (const place of leaving) {
        if (inside.length === 1) break;
        const [sample] = inside.splice(place % inside.length, 1);
        if (sample !== undefined) group.remove(sample);
        expect([group.size, group.first.seq, group.newest.seq]).toEqual([
          inside.length,
          inside[0]?.seq,
          inside.at(-1)?.seq,
        ]);
      }
    }),
  );
});
