import { describe, expect, test } from "vitest";
import { bottleneckScanner } from "../../../../src/core/introspection/scanners/bottleneck-scanner.ts";
import { contextScanner } from "../../../../src/core/introspection/scanners/context-scanner.ts";
import { inferenceScanner } from "../../../../src/core/introspection/scanners/inference-scanner.ts";
import type { ScannerKind } from "../../../../src/core/introspection/scanners/scanner.ts";
import { ObservationWindow } from "../../../../src/core/introspection/window/window.ts";
import { aSample } from "./a-sample.ts";

function said(kind: ScannerKind, facts: readonly Record<string, unknown>[], settings = {}): string[] {
  const scanner = kind.open(kind.settings.parse(settings));
  for (const [place, one] of facts.entries()) scanner.observe(aSample(place + 1, one));
  return [...scanner.findings()].map(({ verdict, name }) => `${verdict} ${name}`);
}

const times = (count: number, facts: Record<string, unknown>) => Array.from({ length: count }, () => facts);
const speeds = (...values: unknown[]) => values.map((value) => ({ task_type: "chat", tokens_per_sec: value }));
const durations = (...values: unknown[]) => values.map((value) => ({ operation: "query", duration_ms: value }));
const depths = (...values: unknown[]) => values.map((value) => ({ queue_name: "q", depth: value }));
const references = (...positions: unknown[]) => ({ context_length: 1_000, references: positions });

describe("the inference scanner", () => {
  test.each([
    ["four slow samples are too few", speeds(1, 1, 1, 1), []],
    ["five are enough", speeds(1, 1, 1, 1, 1), ["breach slow_inference_chat"]],
    ["at the limit it is not slow", speeds(10, 10, 10, 10, 10), ["hold slow_inference_chat"]],
    ["just below it is", speeds(10, 10, 10, 10, 9.9), ["breach slow_inference_chat"]],
    ["at the clear limit the gap is cleared", speeds(11, 11, 11, 11, 11), []],
    ["what is no speed is passed over", speeds(1, 1, 1, 1, -1, "1", null), []],
    ["a task without a name is passed over", times(9, { tokens_per_sec: 1 }), []],
  ])("%s", (_, facts, expected) => expect(said(inferenceScanner, facts)).toEqual(expected));

  test("each kind of task is judged by itself", () => {
    const fast = times(50, { task_type: "embed", tokens_per_sec: 500 });
    expect(said(inferenceScanner, [...speeds(2, 2, 2, 2, 2), ...fast])).toEqual(["breach slow_inference_chat"]);
  });
});

describe("the context scanner", () => {
  test.each([
    ["two samples are too few", times(2, references(100, 200)), []],
    ["three are enough", times(3, references(100, 200)), ["breach unused_context_tail_r"]],
    ["a tail that is never reached", times(5, references(100, 200, 690)), ["breach unused_context_tail_r"]],
    ["at 70 % it is within the limit", times(5, references(100, 200, 700)), ["hold unused_context_tail_r"]],
    ["at 75 % the gap is cleared", times(5, references(100, 200, 750)), []],
    ["all references at the end", times(5, references(800, 900, 1_000)), ["breach recency_bias_r"]],
    [
      "four of five at the end are within the limit",
      times(5, references(1, 800, 900, 950, 990)),
      ["hold recency_bias_r"],
    ],
    ["three of four at the end are fine", times(5, references(1, 900, 950, 990)), []],
    ["nothing referenced says nothing", times(9, references()), []],
    ["a position outside the context spoils its sample", times(9, references(1, 2_000)), []],
    ["no positions at all", times(9, { context_length: 1_000, references: "many" }), []],
  ])("%s", (_, facts, expected) => expect(said(contextScanner, facts)).toEqual(expected));
});

describe("the bottleneck scanner", () => {
  test.each([
    ["four deep queues are too few", depths(500, 500, 500, 500), []],
    ["a mean above 100 builds up", depths(100, 100, 100, 100, 101), ["breach queue_buildup_q"]],
    ["at 100 it does not", depths(100, 100, 100, 100, 100), ["hold queue_buildup_q"]],
    ["at 80 the gap is cleared", depths(80, 80, 80, 80, 80), []],
    ["one slow call of twenty is not the p95", durations(...Array(19).fill(10), 5_000), []],
    ["one slow call of five is one call", durations(10, 10, 10, 10, 5_000), []],
    [
      "two slow calls of twenty are the p95",
      durations(...Array(18).fill(10), 5_000, 5_000),
      ["breach slow_operation_query"],
    ],
    ["exactly a second is within the limit", durations(...Array(20).fill(1_000)), ["hold slow_operation_query"]],
    ["a little more is not", durations(...Array(20).fill(1_000.5)), ["breach slow_operation_query"]],
    ["at 900 ms the gap is cleared", durations(...Array(20).fill(900)), []],
    ["negative times are passed over", durations(...Array(20).fill(-5_000)), []],
  ])("%s", (_, facts, expected) => expect(said(bottleneckScanner, facts)).toEqual(expected));

  test("the p95 that is shown is within one percent", () => {
    const scanner = bottleneckScanner.open(bottleneckScanner.settings.parse({}));
    for (let n = 1; n <= 1_000; n++) scanner.observe(aSample(n, { operation: "query", duration_ms: n * 10 }));
    const [finding] = scanner.findings();
    expect(Math.abs((finding?.evidence.value ?? 0) / 9_500 - 1)).toBeLessThan(0.01);
  });
});

describe("at the edge of the window", () => {
  test.each([
    [inferenceScanner, { task_type: "chat", tokens_per_sec: 1 }],
    [contextScanner, references(10)],
    [bottleneckScanner, { operation: "query", duration_ms: 5_000 }],
  ])("$id counts a sample until the moment at which it leaves", (kind, facts) => {
    const scanner = kind.open(kind.settings.parse({ min_samples: 5 }));
    const window = new ObservationWindow({ windowMs: 1_000, capacity: 100 }, scanner);
    for (let n = 1; n <= 5; n++) window.add(aSample(n, facts, { tsMs: n * 10 }), 50);
    window.advance(1_010);
    expect([...scanner.findings()]).toHaveLength(1);
    window.advance(1_011);
    expect([...scanner.findings()]).toEqual([]);
  });
});
