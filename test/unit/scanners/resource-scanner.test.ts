import { describe, expect, test } from "vitest";
import type { Sample } from "../../../src/core/observations/sample.ts";
import { ResourceScanner } from "../../../src/core/scanners/resource-scanner.ts";

let seq = 0;
const sample = (reporter: string, facts: Record<string, unknown>): Sample => ({
  seq: ++seq,
  id: `s${seq}`,
  trace: undefined,
  depth: 0,
  tsMs: seq,
  reporter,
  niche: null,
  ok: true,
  ttrMs: null,
  incidentId: null,
  facts,
});

function scanned(reporter: string, metric: string, values: unknown[]): ResourceScanner {
  const scanner = new ResourceScanner();
  for (const value of values) scanner.observe(sample(reporter, { [metric]: value }));
  return scanner;
}

describe("the resource scanner", () => {
  test.each([
    ["cpu_percent", [95, 95, 95, 95], undefined],
    ["cpu_percent", [95, 95, 95, 95, 95], "breach"],
    ["cpu_percent", [90, 90, 90, 90, 90], "hold"],
    ["cpu_percent", [90, 90, 90, 90, 90.5], "breach"],
    ["cpu_percent", [85, 85, 85, 85, 85], undefined],
    ["cpu_percent", [85, 85, 85, 85, 85.5], "hold"],
    ["cpu_percent", [95, 95, 95, 95, 101], undefined],
    ["cpu_percent", [95, 95, 95, 95, "95"], undefined],
    ["gpu_utilization", [49, 50, 50, 50, 50], "breach"],
    ["gpu_utilization", [50, 50, 50, 50, 50], "hold"],
    ["gpu_utilization", [55, 55, 55, 55, 55], undefined],
    ["gpu_utilization", [0, 0, 0, 0], undefined],
    ["gpu_utilization", [0, 0, 0, 0, 0], "breach"],
  ])("%s of %j is %s", (metric, values, verdict) => {
    expect(scanned("r", metric, values).findings()[0]?.verdict).toBe(verdict);
  });

  test("one busy host is not hidden by others that sleep", () => {
    const scanner = scanned("busy", "cpu_percent", [99, 99, 99, 99, 99]);
    for (let n = 0; n < 100; n++) scanner.observe(sample(`idle-${n % 10}`, { cpu_percent: 1 }));
    expect(scanner.findings().map(({ name }) => name)).toEqual(["cpu_bottleneck_busy"]);
  });

  test("what has left counts no more, and a group without samples is forgotten", () => {
    const scanner = new ResourceScanner();
    const samples = Array.from({ length: 5 }, () => sample("r", { cpu_percent: 99, gpu_utilization: 1 }));
    for (const item of samples) scanner.observe(item);
    expect(scanner.findings()).toHaveLength(2);
    for (const item of samples) scanner.forget(item);
    expect(scanner.findings()).toEqual([]);
  });

  test("a finding carries its evidence", () => {
    const [finding] = scanned("r", "cpu_percent", [91, 92, 93, 94, 95]).findings();
    expect(finding?.evidence).toMatchObject({
      metric: "cpu_percent",
      value: 93,
      threshold: 90,
      sample_count: 5,
      reporters: ["r"],
    });
    expect(finding?.cause.seq).toBe(finding?.evidence.last_seq);
    expect((finding?.evidence.last_seq ?? 0) - (finding?.evidence.first_seq ?? 0)).toBe(4);
  });
});
