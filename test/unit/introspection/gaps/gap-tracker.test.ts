import { describe, expect, test } from "vitest";
import type { Gap } from "../../../../src/core/introspection/api.ts";
import { gapFacts, gapOf } from "../../../../src/core/introspection/gaps/gap-signal.ts";
import { GapTracker } from "../../../../src/core/introspection/gaps/gap-tracker.ts";
import { alignmentScore } from "../../../../src/core/introspection/gaps/score.ts";
import type { FindingWithCause } from "../../../../src/core/introspection/scanners/scanner.ts";
import type { Signal } from "../../../../src/core/signals/signal.ts";
import fc from "../../../fast-check.ts";

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
    party: { sender: "", source: "t" },
    bytes: 300,
  },
});

const quiet = { flap_seconds: 0, calm_seconds: 0, reminder_seconds: 0 };

describe("the gap tracker", () => {
  test("over any history a gap is raised once, kept while it is held, and resolved once", () => {
    const verdict = fc.constantFrom(undefined, "breach" as const, "hold" as const);
    const round = fc.record<Record<string, "breach" | "hold" | undefined>>({ a: verdict, b: verdict });
    fc.assert(
      fc.property(fc.array(round, { maxLength: 80 }), (history) => {
        const tracker = new GapTracker();
        tracker.settings = quiet;
        const open = new Set<string>();
        history.forEach((state, round) => {
          const changes = tracker.plan(
            // What two scanners find under one name is one gap.
            Object.entries(state).flatMap(([name, verdict]) =>
              verdict ? [finding(name, verdict), finding(name, verdict)] : [],
            ),
            round * 1_000,
          );
          tracker.apply(changes);
          const raised = Object.keys(state).filter((name) => state[name] === "breach" && !open.has(name));
          const resolved = [...open].filter((name) => state[name] === undefined);
          for (const name of raised) open.add(name);
          for (const name of resolved) open.delete(name);
          const told = [changes.raised.map(({ gap }) => gap), changes.resolved, tracker.open];
          expect(told.map((gaps) => gaps.map(({ name }) => name).join()).join("; ")).toBe(
            [raised, resolved, [...open]].map((names) => names.join()).join("; "),
          );
        });
      }),
      { numRuns: 1_000 },
    );
  });

  test("planning changes nothing until it is applied", () => {
    const tracker = new GapTracker();
    tracker.plan([finding("a", "breach")], 0);
    expect(tracker.open).toEqual([]);
  });

  test("however it flaps, a gap is told of at growing distances, and what was told last is true", () => {
    const step = fc.record({ seconds: fc.integer({ min: 1, max: 40 }), found: fc.boolean() });
    fc.assert(
      fc.property(fc.array(step, { minLength: 20, maxLength: 120 }), (history) => {
        const tracker = new GapTracker();
        let nowMs = 0;
        let told = "resolved";
        let reopened = 0;
        let calmSinceMs: number | undefined;
        let resolvedMs = Number.NEGATIVE_INFINITY;
        for (const { seconds, found } of history) {
          nowMs += seconds * 1_000;
          const { raised, resolved, ...rest } = tracker.plan(found ? [finding("a", "breach")] : [], nowMs);
          tracker.apply({ raised, resolved, ...rest });
          // The model: one gap, its own count of times that it came back, its own clock of quiet.
          let expected = "";
          if (found && told === "resolved") {
            reopened = nowMs - resolvedMs <= 60_000 ? reopened + 1 : 0;
            expected += `raised ${reopened} `;
            told = "open";
          }
          calmSinceMs = found ? undefined : (calmSinceMs ?? nowMs);
          const calm = reopened === 0 ? 0 : Math.min(600_000, 30_000 * 2 ** (reopened - 1));
          if (told === "open" && calmSinceMs !== undefined && nowMs - calmSinceMs >= calm) {
            expected += "resolved ";
            told = "resolved";
            resolvedMs = nowMs;
          }
          const said =
            raised.map(({ gap }) => `raised ${gap.reopened ?? 0} `).join("") + resolved.map(() => "resolved ").join("");
          const life = tracker.open[0]?.raised_at;
          const lives = tracker.open.length + tracker.resolved.filter(({ raised_at }) => raised_at === life).length;
          expect(`${said}${tracker.open.length} ${lives}`).toBe(told === "open" ? `${expected}1 1` : `${expected}0 0`);
        }
      }),
      { numRuns: 500 },
    );
  });

  test("a gap that comes and goes every five seconds for an hour is told of a dozen times, not a thousand", () => {
    const tracker = new GapTracker();
    let told = 0;
    for (let nowMs = 0; nowMs < 3_600_000; nowMs += 5_000) {
      const changes = tracker.plan(nowMs % 10_000 === 0 ? [finding("a", "breach")] : [], nowMs);
      tracker.apply(changes);
      told += changes.raised.length + changes.resolved.length;
    }
    expect(told).toBe(3);
  });

  test("one that comes back later is a new one, with the same fingerprint", () => {
    const tracker = new GapTracker();
    for (const [nowMs, found] of [
      [0, true],
      [1_000, false],
      [62_000, true],
    ] as const)
      tracker.apply(tracker.plan(found ? [finding("a", "breach")] : [], nowMs));
    const [open, resolved] = [tracker.open[0], tracker.resolved[0]];
    expect(open?.reopened).toBeUndefined();
    expect(open?.raised_at).not.toBe(resolved?.raised_at);
    expect(open?.fingerprint).toBe(resolved?.fingerprint);
  });

  test("reminds of an open gap as often as it was asked to", () => {
    const tracker = new GapTracker();
    tracker.settings = { ...quiet, reminder_seconds: 60 };
    const reminders: number[] = [];
    for (let nowMs = 0; nowMs <= 200_000; nowMs += 10_000) {
      const changes = tracker.plan([finding("a", "breach")], nowMs);
      if (changes.reminded.length > 0) reminders.push(nowMs);
      tracker.apply(changes);
    }
    expect(reminders).toEqual([60_000, 120_000, 180_000]);
    expect(tracker.nextAtMs()).toBe(240_000);
    expect(tracker.open[0]?.reminders).toBe(3);
  });

  test("refreshes what is known of an open gap, and says when that is worth a write", () => {
    const tracker = new GapTracker();
    tracker.apply(tracker.plan([finding("a", "breach")], 1_000));
    const more = { ...finding("a", "hold"), reason: "now because" };
    const soon = tracker.plan([more], 2_000);
    expect([soon.refreshed[0]?.reason, soon.toStore]).toEqual(["now because", []]);
    tracker.apply(soon);
    expect(tracker.plan([more], 61_000).toStore).toHaveLength(1);
  });

  test("that came back is as old as it was, and a write is worth when its calm begins and when it ends", () => {
    const tracker = new GapTracker();
    const kept = (names: readonly string[], nowMs: number) => {
      const changes = tracker.plan(
        names.map((name) => finding(name, "breach")),
        nowMs,
      );
      tracker.apply(changes);
      return changes.toStore.length;
    };
    for (const [nowMs, names] of [
      [0, ["a"]],
      [1_000, []],
      [2_000, ["a"]],
    ] as const)
      kept(names, nowMs);
    expect(tracker.open.map(({ raised_at, reopened }) => [Date.parse(raised_at), reopened])).toEqual([[0, 1]]);
    expect([kept([], 3_000), kept([], 4_000), kept(["a"], 5_000), kept(["a"], 6_000)]).toEqual([1, 0, 1, 0]);
  });

  test("comes back from storage, and from its own signals, as it was", () => {
    const tracker = new GapTracker();
    const learnt = new GapTracker();
    const signal = (name: string, gap: Gap, cause?: string): Signal => ({
      seq: 1,
      id: `id-${gap.name}-${gap.reopened ?? 0}`,
      signal: name,
      source: "ganglion/observations",
      ecosystem: "e",
      timestamp: gap.last_seen_at,
      received_at: gap.last_seen_at,
      facts: JSON.parse(JSON.stringify(gapFacts(gap))),
      ...(cause === undefined ? {} : { cause }),
    });
    for (const [nowMs, names] of [
      [0, ["a", "b"]],
      [1_000, ["b"]],
      [2_000, ["a", "b"]],
      [3_000, ["a"]],
    ] as const) {
      const changes = tracker.plan(
        names.map((name) => finding(name, "breach")),
        nowMs,
      );
      const raised = changes.raised.map(({ gap, finding }) => ({
        gap: { ...gap, signal_id: `id-${gap.name}-${gap.reopened ?? 0}` },
        finding,
      }));
      tracker.apply({ ...changes, raised, refreshed: [] });
      for (const { gap } of raised) learnt.learn(gapOf(signal("CAPABILITY_GAP", gap)));
      for (const gap of changes.resolved) learnt.learn(gapOf(signal("CAPABILITY_GAP_RESOLVED", gap, gap.signal_id)));
    }
    const stored = new GapTracker();
    stored.restore(JSON.parse(JSON.stringify([...tracker.open, ...tracker.resolved])));
    expect(tracker.open.map(({ name, reopened }) => [name, reopened])).toEqual([["a", 1]]);
    for (const other of [stored, learnt])
      expect([other.open, other.resolved]).toEqual([tracker.open, tracker.resolved]);
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
