import * as z from "zod";
import type { LibraryFindings } from "./library.ts";
import { Pattern } from "./pattern.ts";

const texts = z.array(z.string()).readonly();

/** What a program that writes a node asks for. */
export const ContextRequest = z.strictObject({
  node_type: z.string("give EFFECT, COMPUTE, REDUCER or ORCHESTRATOR").trim().min(1).max(64),
  domain: z.string("give a domain such as database").trim().max(256).default(""),
  service_name: z.string().trim().max(256).default(""),
  operations: z.array(z.string().max(256)).max(100).default([]),
  prompt: z.string().max(65_536).default(""),
});
export type ContextRequest = z.output<typeof ContextRequest>;
export type ContextInput = z.input<typeof ContextRequest>;

export const SOURCES = {
  live: "event_based_discovery",
  library: "builtin_pattern_library",
  retrieval: "archon_rag",
} as const;

/** Confidence of the library alone, and the least of a live answer that holds a pattern. */
export const LIBRARY_CONFIDENCE = 0.7;
export const LIVE_CONFIDENCE = 0.9;
/** What a live answer counts where it is not preferred. */
export const LIVE_NOT_PREFERRED = 0.8;

/** Why an answer holds nothing from live hosts. */
export const FALLBACK_REASONS = [
  "live_off",
  "not_in_share",
  "no_client",
  "connection_failed",
  "timeout",
  "unreadable_answer",
  "correlation_mismatch",
  "unknown_event_type",
  "failed_answer",
  "no_responder",
  "breaker_open",
] as const;
export type FallbackReason = (typeof FALLBACK_REASONS)[number];

/** What the asker gets. A value out of its range, and a field that nobody knows, are refused. */
export const IntelligenceContext = z.strictObject({
  node_type_patterns: texts,
  common_operations: texts,
  required_mixins: texts,
  performance_targets: z.record(z.string(), z.number()).readonly(),
  error_scenarios: texts,
  domain_best_practices: texts,
  code_examples: z.array(z.strictObject({ source: z.string(), code: z.string(), context: z.string() })).readonly(),
  anti_patterns: texts,
  recommended_dependencies: z.array(z.strictObject({ name: z.string(), type: z.string() })).readonly(),
  testing_recommendations: texts,
  security_considerations: texts,
  rag_sources: texts,
  confidence_score: z.number().min(0).max(1),
  production_examples: z.array(Pattern).readonly(),
  fallback_reason: z.enum(FALLBACK_REASONS).nullable(),
  correlation_id: z.string(),
  duration_ms: z.number().nonnegative(),
});
export type IntelligenceContext = z.output<typeof IntelligenceContext>;

/** What came from live hosts. */
export interface LiveFindings {
  readonly patterns: readonly Pattern[];
}

/** What a retrieval service gave. */
export interface RetrievedFindings {
  readonly texts: readonly string[];
  readonly confidence: number;
}

export interface Gathered {
  /** `undefined`: not asked, or it failed, with the reason. */
  readonly live: LiveFindings | undefined;
  readonly fallbackReason: FallbackReason | null;
  readonly library: LibraryFindings;
  readonly retrieved: RetrievedFindings | undefined;
  /** Whether live answers count more than the library. */
  readonly preferLive: boolean;
  readonly correlationId: string;
  readonly durationMs: number;
}

/** Merges what the sources gave, in the order of their use. A text that two of them gave is there once. */
export function mergeContext(gathered: Gathered): IntelligenceContext {
  const { library, retrieved, fallbackReason, correlationId, durationMs, preferLive } = gathered;
  const patterns = gathered.live?.patterns ?? [];
  const best = Math.max(0, ...patterns.map(({ confidence }) => confidence));
  const confidences = [
    LIBRARY_CONFIDENCE,
    ...(patterns.length > 0 ? [preferLive ? Math.max(LIVE_CONFIDENCE, best) : LIVE_NOT_PREFERRED] : []),
    ...(retrieved === undefined || retrieved.texts.length === 0 ? [] : [retrieved.confidence]),
  ];
  return IntelligenceContext.parse({
    node_type_patterns: once([
      ...patterns.flatMap(({ description }) => description ?? []),
      ...library.node_type_patterns,
      ...(retrieved?.texts ?? []),
    ]),
    common_operations: library.common_operations,
    required_mixins: library.required_mixins,
    performance_targets: library.performance_targets,
    error_scenarios: library.error_scenarios,
    domain_best_practices: once([
      ...patterns.flatMap(({ best_practices }) => best_practices ?? []),
      ...library.domain_best_practices,
    ]),
    code_examples: examplesOf(patterns, library),
    anti_patterns: library.anti_patterns,
    recommended_dependencies: library.recommended_dependencies,
    testing_recommendations: library.testing_recommendations,
    security_considerations: library.security_considerations,
    rag_sources: [
      ...(patterns.length > 0 ? [SOURCES.live] : []),
      SOURCES.library,
      ...(retrieved === undefined || retrieved.texts.length === 0 ? [] : [SOURCES.retrieval]),
    ],
    confidence_score: Math.max(...confidences),
    production_examples: patterns,
    fallback_reason: fallbackReason,
    correlation_id: correlationId,
    duration_ms: durationMs,
  });
}

function examplesOf(patterns: readonly Pattern[], library: LibraryFindings) {
  const live = patterns.flatMap(({ code_snippet: code, file_path, description }) =>
    code == null || code === "" ? [] : [{ source: file_path, code, context: description ?? file_path }],
  );
  const own = library.code_examples.map(({ code, context }) => ({ source: SOURCES.library, code, context }));
  return [...new Map([...live, ...own].map((example) => [example.code, example])).values()];
}

const once = (list: readonly string[]): string[] => [...new Set(list)];
