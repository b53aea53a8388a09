import { describe, expect, test } from "vitest";
import { HistoryCollector } from "../../../../src/core/introspection/history/collector.ts";
import { Introspection } from "../../../../src/core/introspection/introspection.ts";
import { ALL_SCANNERS } from "../../../../src/core/introspection/scanners/all-scanners.ts";
import type { Sample } from "../../../../src/core/introspection/window/sample.ts";
import { ExcessLedger } from "../../../../src/core/quotas/excess-ledger.ts";
import { aSample } from "./a-sample.ts";

const FLOODER = { sender: "token:flooder", source: "fake" };
const VICTIM = { sender: "host:gpu-01", source: "gpu-01/sampler" };

/** Five samples of each reporter, all of one party, `tsMs` after `fromSeq`. */
function samplesOf(party: Sample["party"], reporters: readonly string[], fromSeq: number): Sample[] {
  return reporters.flatMap((reporter, place) =>
    Array.from({ length: 5 }, (_, n) => {
      const seq = fromSeq + place * 5 + n;
      return aSample(seq, { cpu_percent: 99 }, { party, reporter, tsMs: 1_000 + seq });
    }),
  );
}

const fakes = (count: number, name = "fake") => Array.from({ length: count }, (_, n) => `${name}-${n}`);

function introspected(batches: readonly Sample[][]) {
  const ledger = new ExcessLedger();
  const introspection = new Introspection(ALL_SCANNERS, {
    excess: (limit, party, count) => ledger.note(limit, party, 100_000, count),
  });
  for (const sample of batches.flat()) introspection.take(sample, 100_000);
  const look = introspection.look(100_000);
  return {
    names: (look?.changes.raised ?? []).map(({ gap }) => gap.name),
    states: introspection.scanners.health.map(({ state }) => state),
    failures: look?.failures ?? [],
    excess: ledger.list(100_000).map(({ quota, sender, source }) => `${quota} ${sender} ${source}`),
    introspection,
  };
}

describe("a flood of reporters from one sender", () => {
  test("of more reporters than findings count hides no reporter of another sender, whoever came first", () => {
    for (const victimFirst of [true, false]) {
      const victim = samplesOf(VICTIM, ["gpu-01"], victimFirst ? 1 : 20_001);
      const flood = samplesOf(FLOODER, fakes(1_500), 101);
      const { names, states, failures, excess } = introspected(victimFirst ? [victim, flood] : [flood, victim]);
      expect(names).toContain("cpu_bottleneck_gpu-01");
      expect(names.length).toBe(1_000);
      expect([failures, new Set(states)]).toEqual([[], new Set(["healthy"])]);
      expect(excess).toEqual(["findings token:flooder fake"]);
    }
  });

  test("leaves the sender's own other source its reporters", () => {
    const flood = samplesOf(FLOODER, fakes(1_500), 101);
    const own = samplesOf({ sender: FLOODER.sender, source: "honest" }, ["worker-1"], 1);
    expect(introspected([own, flood]).names).toContain("cpu_bottleneck_worker-1");
  });

  test("is not charged to a reporter that the flooder sends samples for as well", () => {
    const victim = samplesOf(VICTIM, ["z-victim"], 1);
    const flood = samplesOf(FLOODER, fakes(1_500), 101);
    const touched = samplesOf(FLOODER, ["z-victim"], 20_001);
    expect(introspected([victim, flood, touched]).names).toContain("cpu_bottleneck_z-victim");
  });

  test("of more observations than the window holds pushes out none of another sender", () => {
    const victim = samplesOf(VICTIM, ["gpu-01"], 1);
    const flood = samplesOf(FLOODER, fakes(4_000), 101);
    const { names, excess, introspection } = introspected([victim, flood]);
    expect(names).toContain("cpu_bottleneck_gpu-01");
    expect(introspection.window.size).toBe(10_000);
    expect(excess).toContain("observations token:flooder fake");
  });

  test("names nobody where one sender alone fills the window", () => {
    expect(
      introspected([
        samplesOf(FLOODER, fakes(900), 1),
        samplesOf(FLOODER, fakes(900), 9_001),
        samplesOf(FLOODER, fakes(900), 20_001),
      ]).excess,
    ).toEqual([]);
  });

  test("of variants, in the same niche and in others, hides no variant of another sender that is worse", () => {
    let seq = 0;
    const tries = (party: Sample["party"], variant: string, niche: string, count: number, ok: boolean) =>
      Array.from({ length: count }, () => aSample(++seq, { variant }, { party, niche, ok, tsMs: 50_000 + seq }));
    const flood = Array.from({ length: 400 }, (_, n) =>
      tries(FLOODER, `fake-${n}`, n < 50 ? "chat" : `niche-${Math.floor(n / 30)}`, 22, true),
    );
    const victim = [tries(VICTIM, "new", "chat", 16, false), tries(VICTIM, "old", "chat", 16, true)];
    const { names } = introspected([...flood, ...victim]);
    expect(names).toContain("worse_variant_chat_new");
  });

  test("keeps the history of another sender's metrics, and is counted", () => {
    const crowdedOut: string[] = [];
    const history = new HistoryCollector(({ sender }) => crowdedOut.push(sender));
    for (const sample of samplesOf(FLOODER, fakes(12_000), 1)) history.add({ ...sample, tsMs: 60_000 });
    for (const sample of samplesOf(VICTIM, ["gpu-01"], 70_000)) history.add({ ...sample, tsMs: 60_000 });
    const [[, series] = []] = history.minutes();
    expect(series?.get("cpu_percent")?.get("gpu-01")?.count).toBe(5);
    const summaries = [...(series?.values() ?? [])].flatMap((reporters) => [...reporters.values()]);
    expect(summaries.length).toBe(20_000);
    expect(new Set(crowdedOut)).toEqual(new Set([FLOODER.sender]));
    const kept = summaries.reduce((sum, { count }) => sum + count, 0);
    expect(history.takeDropped()).toBe(12_000 * 5 * 2 + 10 - kept);
  });
});
