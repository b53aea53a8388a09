import { describe, expect, test } from "vitest";
import { resourceScanner } from "../../../../src/core/introspection/scanners/resource-scanner.ts";
import { aSample } from "./a-sample.ts";

let seq = 0;
const sample = (reporter: string, facts: Record<string, unknown>) => aSample(++seq, facts, { reporter });
const open = () => resourceScanner.open(resourceScanner.settings.parse({}));

function findingsOf(reporter: string, metric: string, values: unknown[]) {
  const scanner = open();
  for (const value of values) scanner.observe(sample(reporter, { [metric]: value }));
  return [...scanner.findings()];
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
    expect(findingsOf("r", metric, values)[0]?.verdict).toBe(verdict);
  });

  test("one busy host is not hidden by others that sleep", () => {
    const scanner = open();
    for (let n = 0; n < 5; n++) scanner.observe(sample("busy", { cpu_percent: 99 }));
    for (let n = 0; n < 100; n++) scanner.observe(sample(`idle-${n % 10}`, { cpu_percent: 1 }));
    expect([...scanner.findings()].map(({ name }) => name)).toEqual(["cpu_bottleneck_busy"]);
  });

  test("what has left counts no more, and a group without samples is forgotten", () => {
    const scanner = open();
    const samples = Array.from({ length: 5 }, () => sample("r", { cpu_percent: 99, gpu_utilization: 1 }));
    for (const item of samples) scanner.observe(item);
    expect([...scanner.findings()]).toHaveLength(2);
    for (const item of samples) scanner.forget(item);
    expect([...scanner.findings()]).toEqual([]);
  });

  test("a finding carries its evidence, with what is known of the memory", () => {
    const scanner = open();
    for (const cpu of [91, 92, 93, 94, 95]) scanner.observe(sample("r", { cpu_percent: cpu, ram_percent: 40 }));
    const [finding] = scanner.findings();
    expect(finding?.evidence).toEqual({
      metric: "cpu_percent",
      value: 93,
      threshold: 90,
      unit: "percent",
      sample_count: 5,
      reporters: ["r"],
      first_seq: seq - 4,
      last_seq: seq,
      details: { ram_percent: 40 },
    });
    expect(finding?.cause.seq).toBe(seq);
  });
});
