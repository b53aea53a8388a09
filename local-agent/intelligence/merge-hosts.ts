import { MAX_PATTERNS } from "../../src/core/intelligence/analyses.ts";
import type { PatternsAnswer, Searched } from "../../src/core/intelligence/answer.ts";
import { byConfidence, fitPatterns } from "../../src/core/intelligence/fit-answer.ts";
import type { Pattern } from "../../src/core/intelligence/pattern.ts";
import type { CodeRequest } from "../../src/core/intelligence/request.ts";

/** The request for one of several hosts, of whose answers a page is made: each might hold all of it. */
export function partOf(request: CodeRequest): CodeRequest {
  return { ...request, allHosts: false, offset: 0, limit: Math.min(MAX_PATTERNS, request.offset + request.limit) };
}

/** What one host answered, or why it did not. */
export type Part =
  | { readonly host: string; readonly answer: PatternsAnswer }
  | { readonly host: string; readonly error: string };

/** One answer of the answers of several hosts: best first, and each pattern with its host. */
export function mergeParts(parts: readonly Part[], { offset, limit, sourcePath }: CodeRequest): PatternsAnswer {
  const answers = parts.flatMap((part) => ("answer" in part ? [part] : []));
  const all = answers
    .flatMap(({ host, answer }) => answer.patterns.map((pattern): Pattern => ({ ...pattern, host })))
    .toSorted(byConfidence);
  const page = all.slice(offset, offset + limit);
  const { patterns, truncated } = fitPatterns(page);
  const total = answers.reduce((sum, { answer }) => sum + (answer.total_count ?? answer.patterns.length), 0);
  const sum = (of: keyof Searched) =>
    answers.reduce((count, { answer }) => count + Number(answer.searched?.[of] ?? 0), 0);
  return {
    source_path: sourcePath,
    patterns: [...patterns],
    total_count: total,
    query_time_ms: Math.max(0, ...answers.map(({ answer }) => answer.query_time_ms ?? 0)),
    processing_time_ms: Math.max(0, ...answers.map(({ answer }) => answer.processing_time_ms ?? 0)),
    operation_type: "PATTERN_EXTRACTION",
    cache_hit: false,
    searched: {
      roots: sum("roots"),
      files_seen: sum("files_seen"),
      files_matched: sum("files_matched"),
      files_failed: sum("files_failed"),
      hosts: answers.map(({ host }) => host),
      hosts_failed: parts.flatMap((part) => ("error" in part ? [{ host: part.host, error: part.error }] : [])),
    },
    truncated: truncated || offset + page.length < total,
  };
}
