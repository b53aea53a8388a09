import { describe, expect, it } from "vitest";
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
});
