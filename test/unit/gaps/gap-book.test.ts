import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { GapBook } from "../../../src/core/gaps/gap-book.ts";
import { alignmentScore } from "../../../src/core/gaps/score.ts";
import type { FindingWithCause } from "../../../src/core/scanners/scanner.ts";

const finding = (name: string, verdict: "breach" | "hold"): FindingWithCause => ({
  name,
  type: "performance",
  category: "c",
  reason: "because",
  verdict,
  severity: 0.5,
  installCost: 0.5,
  evidence: {
    metric: "m",
    value: 1,
    threshold: 1,
    unit: "percent",
    sample_count: 5,
    reporters: ["r"],
    first_seq: 1,
    last_seq: 5,
  },
  cause: {
    seq: 5,
    id: "s5",
    trace: undefined,
    depth: 0,
    tsMs: 0,
    reporter: "r",
    niche: null,
    ok: true,
    ttrMs: null,
    incidentId: null,
    facts: {},
  },
});

describe("the gap book", () => {
  test("over any history a gap is raised once, kept while it is held, and resolved once", () => {
    const round = fc.dictionary(fc.constantFrom("a", "b"), fc.constantFrom("breach" as const, "hold" as const));
    fc.assert(
      fc.property(fc.array(round, { maxLength: 30 }), (history) => {
        const book = new GapBook();
        const open = new Set<string>();
        history.forEach((state, nowMs) => {
          const changes = book.plan(
            Object.entries(state).map(([name, verdict]) => finding(name, verdict)),
            nowMs,
          );
          book.apply(changes);
          const raised = Object.keys(state).filter((name) => state[name] === "breach" && !open.has(name));
          const resolved = [...open].filter((name) => state[name] === undefined);
          expect(changes.raised.map(({ gap }) => gap.name)).toEqual(raised);
          expect(changes.resolved.map(({ name }) => name).sort()).toEqual(resolved.sort());
          for (const name of raised) open.add(name);
          for (const name of resolved) open.delete(name);
          expect(new Set(book.open.map(({ name }) => name))).toEqual(open);
        });
      }),
      { numRuns: 1_000 },
    );
  });

  test("planning changes nothing until it is applied", () => {
    const book = new GapBook();
    book.plan([finding("a", "breach")], 0);
    expect(book.open).toEqual([]);
  });
});

test("the score grows with severity and with evidence, between 0 and 1", () => {
  fc.assert(
    fc.property(fc.double({ min: 0, max: 1, noNaN: true }), fc.integer({ min: 0, max: 1_000 }), (severity, samples) => {
      const score = alignmentScore(severity, samples);
      expect(score).toBeGreaterThanOrEqual(0);
      expect(score).toBeLessThanOrEqual(1);
      expect(alignmentScore(severity, samples + 1)).toBeGreaterThanOrEqual(score);
    }),
  );
  expect(alignmentScore(1, 20)).toBe(1);
  expect(alignmentScore(0, 20)).toBe(0.5);
});
