import type { FallbackReason, IntelligenceContext } from "./context.ts";
import { canonicalDomain } from "./domains.ts";
import { readNodeType } from "./node-types.ts";
import { outcomeOf } from "./outcome.ts";
import type { SimilarNode } from "./similar-nodes.ts";

/** Upper bounds of each histogram. */
const BOUNDS = {
  discovery_duration_seconds: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
  pattern_confidence: [0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.95, 1],
  patterns_discovered: [0, 1, 2, 3, 5, 10, 20, 50],
} as const;

/** Domains that are told apart: whoever asks names them, and labels must not grow without end. */
const DOMAINS = new Set([
  "api",
  "cache",
  "database",
  "messaging",
  "analytics",
  "calculation",
  "coordination",
  "data_processing",
  "state_management",
  "workflow",
]);

/** How a connection to the edge failed. An answer that comes too late is none of these. */
export type ConnectionError = "timeout" | "connection_refused" | "auth_failed";
/** Reasons in the words of the older dashboards. */
const FALLBACKS: Partial<Record<FallbackReason, string>> = {
  timeout: "timeout",
  connection_failed: "kafka_down",
  no_client: "kafka_down",
  no_responder: "no_responder",
  breaker_open: "breaker_open",
};
interface Histogram {
  readonly buckets: number[];
  sum: number;
  count: number;
}

/**
 * What a program that asks for contexts measures, as OpenMetrics. The recording rules of
 * examples/prometheus give the older names.
 */
export class AskerMetrics {
  readonly #counters = new Map<string, Map<string, number>>();
  readonly #histograms = new Map<keyof typeof BOUNDS, Map<string, Histogram>>();

  /**
   * @param liveMs - how long live hosts were asked; `undefined`: they were not
   * @param connectionError - where the edge could not be reached
   */
  gathered(
    context: IntelligenceContext,
    asked: { readonly node_type: string; readonly domain: string },
    liveMs?: number,
    connectionError: ConnectionError = "connection_refused",
  ): void {
    const node_type = readNodeType(asked.node_type) ?? "unknown";
    const canonical = canonicalDomain(asked.domain);
    const domain = DOMAINS.has(canonical) ? canonical : "other";
    const { fallback_reason: reason, production_examples: patterns } = context;
    const operation_type = "PATTERN_EXTRACTION";
    if (liveMs !== undefined)
      this.#observe("discovery_duration_seconds", { operation_type, node_type, domain }, liveMs / 1_000);
    const outcome = outcomeOf(reason);
    if (outcome !== undefined) this.#count("discoveries", { operation_type, outcome });
    if (outcome !== undefined && reason !== null) this.#count("fallbacks", { reason: FALLBACKS[reason] ?? "error" });
    if (reason === "connection_failed") this.#count("connection_errors", { error_type: connectionError });
    for (const { confidence } of patterns) this.#observe("pattern_confidence", { source: "event_based" }, confidence);
    if (patterns.length === 0) this.#observe("pattern_confidence", { source: "builtin" }, context.confidence_score);
    else this.#observe("patterns_discovered", { node_type, domain }, patterns.length);
  }

  /** Similar nodes that were found. Of a file that nobody has looked into, the similarity is what is known. */
  found(nodes: readonly SimilarNode[]): void {
    for (const { source, confidence, similarity } of nodes) {
      const from = source === "filesystem" ? "filesystem" : "event_based";
      this.#observe("pattern_confidence", { source: from }, confidence ?? similarity);
    }
  }

  /** An answer to another request: it reached no asker, and there should be none. */
  mismatched(): void {
    this.#count("correlation_mismatches", {});
  }

  /** OpenMetrics text, without its end mark. */
  text(): string {
    const lines: string[] = [];
    for (const [name, values] of this.#counters) {
      lines.push(`# TYPE ganglion_intelligence_${name} counter`);
      for (const [labels, value] of values) lines.push(`ganglion_intelligence_${name}_total${braced(labels)} ${value}`);
    }
    for (const [name, values] of this.#histograms) {
      lines.push(`# TYPE ganglion_intelligence_${name} histogram`);
      for (const [labels, { buckets, sum, count }] of values) {
        const full = `ganglion_intelligence_${name}`;
        for (const [index, bound] of BOUNDS[name].entries())
          lines.push(`${full}_bucket${braced(labels, `le="${bound}"`)} ${buckets[index] ?? 0}`);
        lines.push(`${full}_bucket${braced(labels, 'le="+Inf"')} ${count}`);
        lines.push(`${full}_sum${braced(labels)} ${sum}`, `${full}_count${braced(labels)} ${count}`);
      }
    }
    return lines.map((line) => `${line}\n`).join("");
  }

  #count(name: string, labels: Readonly<Record<string, string>>): void {
    const values = this.#counters.get(name) ?? new Map<string, number>();
    this.#counters.set(name, values);
    const key = written(labels);
    values.set(key, (values.get(key) ?? 0) + 1);
  }

  #observe(name: keyof typeof BOUNDS, labels: Readonly<Record<string, string>>, value: number): void {
    const values = this.#histograms.get(name) ?? new Map<string, Histogram>();
    this.#histograms.set(name, values);
    const key = written(labels);
    const histogram = values.get(key) ?? { buckets: BOUNDS[name].map(() => 0), sum: 0, count: 0 };
    values.set(key, histogram);
    for (const [index, bound] of BOUNDS[name].entries())
      if (value <= bound) histogram.buckets[index] = (histogram.buckets[index] ?? 0) + 1;
    histogram.sum += value;
    histogram.count += 1;
  }
}

/** All values are words of ours, so none needs escaping. */
const written = (labels: Readonly<Record<string, string>>): string =>
  Object.entries(labels)
    .map(([name, value]) => `${name}="${value}"`)
    .join(",");
const braced = (...parts: readonly string[]): string => {
  const filled = parts.filter((part) => part !== "");
  return filled.length === 0 ? "" : `{${filled.join(",")}}`;
};
