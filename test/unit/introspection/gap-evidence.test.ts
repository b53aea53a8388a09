import { describe, expect, test } from "vitest";
import type { Gap } from "../../../src/core/introspection/api.ts";
import { gapEvidence } from "../../../src/core/introspection/gaps/gap-evidence.ts";
import { Introspection } from "../../../src/core/introspection/introspection.ts";
import { ALL_SCANNERS } from "../../../src/core/introspection/scanners/all-scanners.ts";
import type { Sample } from "../../../src/core/introspection/window/sample.ts";

const NOW_MS = Date.parse("2026-01-01T00:10:00.000Z");
let seq = 0;
const sample = (reporter: string, facts: Record<string, unknown>, more: Partial<Sample> = {}): Sample => ({
  seq: ++seq,
  id: `s${seq}`,
  trace: undefined,
  depth: 0,
  tsMs: NOW_MS - 60_000 + seq,
  reporter,
  niche: null,
  ok: true,
  ttrMs: null,
  incidentId: null,
  facts,
  party: { sender: "t", source: "s" },
  bytes: 300,
  ...more,
});

/** Gaps that the scanners find in samples, each with its evidence. */
function evidenceOf(samples: readonly Sample[]) {
  const introspection = new Introspection(ALL_SCANNERS);
  for (const one of samples) introspection.take(one, NOW_MS);
  const look = introspection.look(NOW_MS);
  if (look === undefined) throw new Error("the scanners rest");
  introspection.gaps.apply(look.changes);
  const settings = (id: string) => introspection.scanners.setting(id)?.settings;
  return introspection.gaps.open.map((gap) => gapEvidence(gap, introspection.window.read(NOW_MS), settings, 600));
}
const times = (count: number, make: (place: number) => Sample) =>
  Array.from({ length: count }, (_, place) => make(place));

describe("the evidence of a gap", () => {
  test.each([
    ["cpu_percent", 90, 85, "above", times(6, () => sample("host/a", { cpu_percent: 97 })), 97],
    ["gpu_utilization", 50, 55, "below", times(6, () => sample("host/a", { gpu_utilization: 4 })), 4],
    ["tokens_per_sec", 10, 11, "below", times(6, () => sample("r", { task_type: "chat", tokens_per_sec: 3 })), 3],
    ["depth", 100, 80, "above", times(6, () => sample("r", { queue_name: "q", depth: 500 })), 500],
    [
      "duration_ms_p95",
      1_000,
      900,
      "above",
      times(6, () => sample("r", { operation: "o", duration_ms: 5_000 })),
      5_000,
    ],
    ["highest_reference", 70, 75, "below", times(6, () => sample("r", { context_length: 100, references: [1, 5] })), 5],
    [
      "recent_references",
      80,
      75,
      "above",
      times(6, () => sample("r", { context_length: 100, references: [95, 99] })),
      100,
    ],
  ] as const)("of %s is its samples, with both thresholds", (metric, raise, clear, worse, samples, value) => {
    const others = [sample("host/b", { cpu_percent: 1 }), sample("s", { task_type: "other", tokens_per_sec: 99 })];
    const evidence = evidenceOf([...samples, ...others]).find((one) => one.metric === metric);
    expect(evidence).toMatchObject({ metric, raise, clear, worse, left_out: 0, window_seconds: 600 });
    expect(evidence?.samples.map((one) => [one.seq, one.value])).toEqual(samples.map((one) => [one.seq, value]));
    expect(evidence?.samples[0]?.at).toMatch(/^2026-01-01T00:09:00/);
  });

  test("leaves out a sample that the scanner leaves out: with a reference outside its context", () => {
    const used = times(6, () => sample("r", { context_length: 100, references: [1, 5] }));
    const odd = sample("r", { context_length: 100, references: [1, 5, 250] });
    const found = evidenceOf([...used, odd]).find(({ metric }) => metric === "highest_reference");
    expect(found?.samples.map(({ value }) => value)).toEqual(used.map(() => 5));
  });

  test("of a comparison is the samples of the variant that does worse", () => {
    const tried = (variant: string, ok: boolean) => sample("r", { variant }, { niche: "parse", ok });
    const samples = [...times(200, () => tried("a", false)), ...times(200, () => tried("b", true))];
    const [evidence] = evidenceOf(samples);
    expect(evidence).toMatchObject({ metric: "success_rate", raise: 100, clear: null, worse: "below" });
    expect(evidence?.samples.map(({ value }) => value)).toEqual(Array.from({ length: 200 }, () => 0));
  });

  test("is the newest thousand samples, with a count of the others, and none where the metric is not known", () => {
    const gap = (metric: unknown): Gap => ({
      name: "cpu_bottleneck_a",
      category: "c",
      type: "t",
      reason: "r",
      alignment_score: 1,
      install_cost: 0,
      metadata: { metric, threshold: 7 },
      status: "open",
      raised_at: "2026-01-01T00:00:00.000Z",
      last_seen_at: "2026-01-01T00:00:00.000Z",
      fingerprint: "f",
    });
    const samples = times(1_500, () => sample("a", { cpu_percent: 99 }));
    const known = gapEvidence(gap("cpu_percent"), samples, () => undefined, 600);
    expect([known.samples.length, known.left_out, known.raise, known.clear]).toEqual([1_000, 500, 7, null]);
    for (const metric of ["constructor", 7, undefined, "other"])
      expect(gapEvidence(gap(metric), samples, () => undefined, 600)).toMatchObject({
        samples: [],
        worse: null,
        raise: 7,
      });
  });
});
