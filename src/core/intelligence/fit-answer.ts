import { utf8Bytes } from "../signals/limits.ts";
import type { Pattern } from "./pattern.ts";

/** Bytes that an answer's patterns may take. The rest of 64 KiB is for the envelope and for what else the answer says. */
export const PATTERN_BYTES = 56 * 1024;
/** A snippet of a pattern that does not fit whole. */
const SHORT_SNIPPET = 240;

/** Best first; of equal ones by path and host, so that pages never overlap. */
export function byConfidence(a: Pattern, b: Pattern): number {
  return b.confidence - a.confidence || compare(a.file_path, b.file_path) || compare(a.host ?? "", b.host ?? "");
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/**
 * As many patterns as fit an answer, in their order. Where snippets are what does not fit, they are cut before patterns are
 * left out: each pattern holds more than its snippet.
 */
export function fitPatterns(
  patterns: readonly Pattern[],
  bytes = PATTERN_BYTES,
): { readonly patterns: readonly Pattern[]; readonly truncated: boolean } {
  const whole = take(patterns, bytes);
  if (whole.length === patterns.length) return { patterns: whole, truncated: false };
  const shortened = take(patterns.map(shorten), bytes);
  return { patterns: shortened, truncated: true };
}

function take(patterns: readonly Pattern[], bytes: number): Pattern[] {
  let used = 0;
  const taken: Pattern[] = [];
  for (const pattern of patterns) {
    used += utf8Bytes(JSON.stringify(pattern)) + 1;
    if (used > bytes) break;
    taken.push(pattern);
  }
  return taken;
}

function shorten(pattern: Pattern): Pattern {
  const { code_snippet: snippet } = pattern;
  return snippet == null || snippet.length <= SHORT_SNIPPET
    ? pattern
    : { ...pattern, code_snippet: `${snippet.slice(0, SHORT_SNIPPET)}…` };
}
