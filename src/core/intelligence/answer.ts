import * as z from "zod";
import { Pattern } from "./pattern.ts";

const texts = z.array(z.string());
const share = z.number().min(0).max(1);

export const Searched = z.looseObject({
  roots: z.int(),
  files_seen: z.int(),
  files_matched: z.int(),
  files_failed: z.int(),
});
export type Searched = z.output<typeof Searched>;

/** The answer to `PATTERN_EXTRACTION`. */
export const PatternsAnswer = z.looseObject({
  source_path: z.string(),
  patterns: z.array(Pattern),
  total_count: z.int().optional(),
  query_time_ms: z.number().optional(),
  processing_time_ms: z.number().optional(),
  operation_type: z.string().optional(),
  cache_hit: z.boolean().optional(),
  searched: Searched.optional(),
  host: z.string().optional(),
  truncated: z.boolean().optional(),
});
export type PatternsAnswer = z.output<typeof PatternsAnswer>;

export const AnalysisIssue = z.looseObject({ rule: z.string(), message: z.string(), line: z.int().optional() });

export const ResultsSummary = z.looseObject({
  total_lines: z.int().optional(),
  cyclomatic_complexity: z.number().optional(),
  cognitive_complexity: z.number().optional(),
  pattern_matches: z.int().optional(),
  anti_patterns: z.int().optional(),
  security_issues: z.int().optional(),
});

/** The answer to an analysis. What a responder does not compute is absent. */
export const AnalysisAnswer = z.looseObject({
  source_path: z.string(),
  quality_score: share.optional(),
  onex_compliance: share.optional(),
  issues_count: z.int().optional(),
  recommendations_count: z.int().optional(),
  processing_time_ms: z.number().optional(),
  operation_type: z.string().optional(),
  complexity_score: share.optional(),
  maintainability_score: share.optional(),
  results_summary: ResultsSummary.optional(),
  cache_hit: z.boolean().optional(),
  issues: z.array(z.union([AnalysisIssue, z.string()])).optional(),
  recommendations: texts.optional(),
  patterns: z.array(z.unknown()).optional(),
  host: z.string().optional(),
});
export type AnalysisAnswer = z.output<typeof AnalysisAnswer>;

export const FailedAnswer = z.looseObject({
  operation_type: z.string().nullish(),
  source_path: z.string().nullish(),
  error_message: z.string().min(1),
  error_code: z.string().default("INTERNAL_ERROR"),
  retry_allowed: z.boolean().optional(),
  retry_count: z.int().optional(),
  processing_time_ms: z.number().optional(),
  error_details: z
    .looseObject({
      exception_type: z.string().nullish(),
      line_number: z.int().nullish(),
      column: z.int().nullish(),
    })
    .nullish(),
  suggested_action: z.string().nullish(),
});
export type FailedAnswer = z.output<typeof FailedAnswer>;
