import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { PROJECT_ROOT } from "../../../local-edge/paths.ts";
import { EdgeUnreachable, problemFrom } from "../../../src/client/http/problem-errors.ts";
import { errorOfCall } from "../../../src/client/intelligence/call-errors.ts";
import { IntelligenceUnavailable } from "../../../src/client/intelligence/errors.ts";
import { IntelligenceGatherer } from "../../../src/client/intelligence/gatherer.ts";
import { builtInLibrary } from "../../../src/client/intelligence/library-file.ts";
import { AskerMetrics } from "../../../src/core/intelligence/asker-metrics.ts";

const library = builtInLibrary();
const gatherer = (
  metrics: AskerMetrics,
  discover: () => Promise<{ source_path: string; patterns: { file_path: string; confidence: number }[] }>,
) => new IntelligenceGatherer({ library, client: { discover }, onGathered: (...all) => metrics.gathered(...all) });

describe("the metrics of an asker", () => {
  it("count outcomes and fallbacks, and measure time, patterns and confidence", async () => {
    const metrics = new AskerMetrics();
    const patterns = [
      { file_path: "a", confidence: 0.95 },
      { file_path: "b", confidence: 0.85 },
    ];
    await gatherer(metrics, async () => ({ source_path: "x", patterns })).gather({
      node_type: "effect",
      domain: "postgres",
    });
    const refuse = () => Promise.reject(new IntelligenceUnavailable("no_responder", "nobody"));
    await gatherer(metrics, refuse).gather({ node_type: "EFFECT", domain: "made up by somebody" });
    const text = metrics.text();
    for (const line of [
      'ganglion_intelligence_discoveries_total{operation_type="PATTERN_EXTRACTION",outcome="success"} 1',
      'ganglion_intelligence_discoveries_total{operation_type="PATTERN_EXTRACTION",outcome="fallback"} 1',
      'ganglion_intelligence_fallbacks_total{reason="no_responder"} 1',
      'ganglion_intelligence_patterns_discovered_sum{node_type="EFFECT",domain="database"} 2',
      'ganglion_intelligence_pattern_confidence_bucket{source="event_based",le="0.9"} 1',
      'ganglion_intelligence_pattern_confidence_count{source="builtin"} 1',
      'ganglion_intelligence_discovery_duration_seconds_count{operation_type="PATTERN_EXTRACTION",node_type="EFFECT",domain="other"} 1',
    ])
      expect(text).toContain(`${line}\n`);
  });

  it("count neither what was switched off nor what the roll-out did not choose as a failure", async () => {
    const metrics = new AskerMetrics();
    await new IntelligenceGatherer({ library, live: false, onGathered: (...all) => metrics.gathered(...all) }).gather({
      node_type: "EFFECT",
    });
    expect(metrics.text()).not.toContain("fallbacks");
    expect(metrics.text()).not.toContain("discoveries");
  });

  const refused = Object.assign(new Error("x"), { code: "ECONNREFUSED" });
  const late = Object.assign(new Error("x"), { name: "TimeoutError" });
  it.each([
    ["connection_refused", new EdgeUnreachable("http://127.0.0.1:1", refused)],
    ["timeout", new EdgeUnreachable("http://127.0.0.1:1", late)],
    ["auth_failed", problemFrom(401, "", null)],
  ])("tell how the edge could not be reached: %s", async (kind, error) => {
    const metrics = new AskerMetrics();
    await gatherer(metrics, () => Promise.reject(errorOfCall(error))).gather({ node_type: "EFFECT" });
    expect(metrics.text()).toContain(`ganglion_intelligence_connection_errors_total{error_type="${kind}"} 1\n`);
  });

  it("measure what the finder found below its paths by its similarity", () => {
    const metrics = new AskerMetrics();
    metrics.found([{ path: "a", similarity: 0.8, confidence: null, source: "filesystem", host: null }]);
    expect(metrics.text()).toContain('ganglion_intelligence_pattern_confidence_sum{source="filesystem"} 0.8\n');
  });
});

describe("the recording rules", () => {
  interface Rule {
    readonly record?: string;
    readonly alert?: string;
    readonly expr: string;
  }
  const file = readFileSync(join(PROJECT_ROOT, "examples/prometheus/event-intelligence.rules.yaml"), "utf8");
  const rules = (parse(file) as { groups: { rules: Rule[] }[] }).groups.flatMap(({ rules: own }) => own);

  it("give all seven older names, each bucket of the duration in milliseconds", () => {
    const names = new Set(rules.flatMap(({ record = [] }) => record));
    const histograms = ["event_based_discovery_duration_ms", "pattern_confidence_score", "patterns_discovered_count"];
    const ofHistograms = histograms.flatMap((name) => [`${name}_bucket`, `${name}_sum`, `${name}_count`]);
    const counters = ["event_based_discovery_success_rate", "filesystem_fallback_rate", "kafka_connection_errors"];
    expect(names).toEqual(new Set([...counters, "correlation_id_mismatch", ...ofHistograms]));
    const buckets = rules.filter(({ record }) => record === "event_based_discovery_duration_ms_bucket");
    expect(buckets.map(({ expr }) => /"le", "([^"]+)"/.exec(expr)?.[1])).toEqual([
      "5",
      "10",
      "25",
      "50",
      "100",
      "250",
      "500",
      "1000",
      "2500",
      "5000",
      "10000",
      "+Inf",
    ]);
  });

  it("and the alerts read only what an asker measures", async () => {
    const metrics = new AskerMetrics();
    await gatherer(metrics, async () => ({ source_path: "x", patterns: [{ file_path: "a", confidence: 1 }] })).gather({
      node_type: "EFFECT",
    });
    await gatherer(metrics, () => Promise.reject(errorOfCall(problemFrom(401, "", null)))).gather({
      node_type: "EFFECT",
    });
    metrics.mismatched();
    const text = metrics.text();
    for (const { expr } of rules)
      for (const [name] of expr.matchAll(/ganglion_\w+/g)) expect(text, expr).toMatch(new RegExp(`^${name}[{ ]`, "m"));
    for (const [, le] of file.matchAll(/_bucket\{le="([^"]+)"\}/g)) expect(text).toContain(`le="${le}"`);
    expect(rules.filter(({ alert }) => alert !== undefined)).toHaveLength(5);
  });
});
