import { describe, expect, test } from "vitest";
import { gapFacts } from "../../../src/core/introspection/gaps/gap-signal.ts";
import { Introspection } from "../../../src/core/introspection/introspection.ts";
import { ALL_SCANNERS } from "../../../src/core/introspection/scanners/all-scanners.ts";
import type { Sample } from "../../../src/core/introspection/window/sample.ts";
import { DEFAULT_OBSERVATION_SETTINGS } from "../../../src/core/introspection/window/window-settings.ts";
import { aSample, seeded } from "./scanners/a-sample.ts";

const HOUR_MS = 3_600_000;
const on = { enabled: true, reason: null, since: null, by: null };
const off = { ...on, enabled: false };

/** An hour of a small fleet: troubles that come and go, late and doubled reports, clocks that differ. */
function recordedHour(): { atMs: number; sample: Sample }[] {
  const random = seeded(42);
  const hour: { atMs: number; sample: Sample }[] = [];
  let seq = 0;
  for (let atMs = 0; atMs < HOUR_MS; atMs += 500) {
    const trouble = Math.floor(atMs / 600_000) % 2 === 1;
    const reporter = `host-${Math.floor(random() * 4)}`;
    const facts = [
      {
        cpu_percent: trouble && reporter === "host-1" ? 90 + random() * 10 : random() * 80,
        ram_percent: random() * 100,
      },
      { task_type: "chat", tokens_per_sec: trouble ? random() * 9 : 20 + random() * 20 },
      { operation: "query", duration_ms: trouble ? 500 + random() * 2_000 : random() * 500 },
      { queue_name: "jobs", depth: Math.floor(random() * (trouble ? 400 : 50)) },
      { variant: random() < 0.5 ? "a" : "b" },
    ][Math.floor(random() * 5)] as Record<string, unknown>;
    const ok = facts.variant === "b" && trouble ? random() < 0.4 : random() < 0.98;
    const lateMs = random() < 0.05 ? random() * 400_000 : random() * 2_000;
    const more = { tsMs: Math.round(atMs - lateMs), reporter, ok, niche: "fleet", ttrMs: 50 + random() * 100 };
    hour.push({ atMs, sample: aSample(++seq, facts, more) });
  }
  return hour;
}

interface Told {
  readonly lines: string[];
  readonly names: Set<string>;
}

/** @param restartEvery - observations between two restarts from what would be on the disk */
function play(hour: ReturnType<typeof recordedHour>, restartEvery = Number.POSITIVE_INFINITY): Told {
  let introspection = new Introspection(ALL_SCANNERS);
  const told: Told = { lines: [], names: new Set() };
  const kept: Sample[] = [];
  for (const [place, { atMs, sample }] of hour.entries()) {
    if (place > 0 && place % restartEvery === 0) {
      const restarted = new Introspection(ALL_SCANNERS);
      restarted.gaps.restore(JSON.parse(JSON.stringify([...introspection.gaps.open, ...introspection.gaps.resolved])));
      for (const one of kept) restarted.take(one, atMs);
      introspection = restarted;
    }
    kept.push(sample);
    introspection.take(sample, atMs);
    if (place % 4 !== 3) continue;
    const changes = introspection.look(atMs)?.changes;
    if (changes === undefined) throw new Error("there is no maintenance in this hour");
    introspection.gaps.apply(changes);
    for (const gap of [...changes.raised.map((change) => change.gap), ...changes.resolved]) {
      told.names.add(gap.name);
      told.lines.push(JSON.stringify([gap.status, gapFacts(gap)]));
    }
  }
  return told;
}

describe("introspection", () => {
  const hour = recordedHour();

  test("an hour of recorded observations makes the same gaps twice, byte for byte", () => {
    const first = play(hour);
    expect(play(hour).lines.join("\n")).toBe(first.lines.join("\n"));
    expect([...first.names].sort()).toEqual([
      "cpu_bottleneck_host-1",
      "queue_buildup_jobs",
      "slow_inference_chat",
      "slow_operation_query",
      "worse_variant_fleet_b",
    ]);
  });

  test("and the same again however often it restarts in between", () => {
    expect(play(hour, 777).lines.join("\n")).toBe(play(hour).lines.join("\n"));
  });

  test("during maintenance nothing is judged, and afterwards it is held against nobody", () => {
    const introspection = new Introspection(ALL_SCANNERS);
    const busy = (seq: number, tsMs: number, cpu = 99) => aSample(seq, { cpu_percent: cpu }, { tsMs });
    const look = (nowMs: number) => {
      const changes = introspection.look(nowMs)?.changes;
      if (changes !== undefined) introspection.gaps.apply(changes);
      return changes && [changes.raised.map(({ gap }) => gap.name), changes.resolved.map(({ name }) => name)];
    };
    introspection.setMaintenance(on, 1_000);
    for (let seq = 1; seq <= 50; seq++) introspection.take(busy(seq, 1_000 + seq), 1_000 + seq);
    expect(look(2_000)).toBeUndefined();
    introspection.setMaintenance(off, 3_000);
    expect(look(3_001)).toEqual([[], []]);
    expect(introspection.window.size).toBe(50);
    for (let seq = 51; seq <= 55; seq++) introspection.take(busy(seq, 4_000), 4_000);
    expect(look(4_001)).toEqual([["cpu_bottleneck_r"], []]);
    expect(introspection.gaps.open[0]?.metadata.sample_count).toBe(5);
    introspection.window.advance(10_000_000);
    expect(introspection.window.size).toBe(0);
  });

  test("a gap that was open before maintenance is given a minute to show again before it counts as over", () => {
    const introspection = new Introspection(ALL_SCANNERS);
    for (let seq = 1; seq <= 5; seq++) introspection.take(aSample(seq, { cpu_percent: 99 }, { tsMs: 0 }), 0);
    const resolvedAt = (nowMs: number) => {
      const changes = introspection.look(nowMs)?.changes;
      if (changes !== undefined) introspection.gaps.apply(changes);
      return changes?.resolved.length;
    };
    expect(resolvedAt(0)).toBe(0);
    introspection.setMaintenance(on, 1);
    introspection.setMaintenance(off, 1_000_000);
    expect([resolvedAt(1_000_001), resolvedAt(1_059_999), resolvedAt(1_060_000)]).toEqual([0, 0, 1]);
  });

  test("a window that is set shorter, or smaller, lets go at once what no longer fits", () => {
    const introspection = new Introspection(ALL_SCANNERS);
    for (let seq = 1; seq <= 300; seq++)
      introspection.take(aSample(seq, { cpu_percent: 99 }, { tsMs: seq * 1_000 }), seq * 1_000);
    introspection.set({ ...DEFAULT_OBSERVATION_SETTINGS, window_seconds: 200 }, 300_000);
    expect(introspection.window.size).toBe(201);
    introspection.set({ ...DEFAULT_OBSERVATION_SETTINGS, window_capacity: 100 }, 300_000);
    expect(introspection.window.size).toBe(100);
    expect(introspection.look(300_000)?.changes.raised[0]?.gap.metadata).toMatchObject({
      sample_count: 100,
      first_seq: 201,
    });
  });

  test("says when it is to be asked again though nothing comes", () => {
    const introspection = new Introspection(ALL_SCANNERS);
    expect(introspection.nextLookMs(0)).toBeUndefined();
    introspection.take(aSample(1, {}, { tsMs: 0 }), 0);
    expect(introspection.nextLookMs(0)).toBe(15_000);
  });
});
