import * as z from "zod";
import { ANALYSES, MAX_PATTERNS } from "./analyses.ts";
import { MAX_SOURCE_PATH } from "./name-pattern.ts";

export const OPERATIONS = ["PATTERN_EXTRACTION", ...ANALYSES] as const;
export type Operation = (typeof OPERATIONS)[number];

const text = z.string().nullish();

/** How many patterns there are in an answer unless the request says so. */
const DEFAULT_PATTERNS = 50;

/** Options of a request. Those of other writers that mean nothing here are let through. */
export const RequestOptions = z.looseObject({
  operation_type: text,
  include_patterns: z.boolean("give true or false").nullish(),
  include_metrics: z.boolean("give true or false").nullish(),
  quality_threshold: z.number("give a number from 0 to 1").min(0).max(1).nullish(),
  enable_caching: z.boolean("give true or false").nullish(),
  limit: z.int("give a whole number").min(1).max(MAX_PATTERNS).nullish(),
  offset: z.int("give a whole number").min(0).max(1_000_000).nullish(),
  domain: z.string().max(256).nullish(),
  all_hosts: z.boolean("give true or false").nullish(),
});
export type RequestOptions = z.output<typeof RequestOptions>;

/** The payload of a request, as its writers send it. */
export const RequestPayload = z.looseObject({
  source_path: z
    .string("give a pattern such as node_*_effect.py, or a path below a code root")
    .trim()
    .min(1, "is blank: give a pattern such as node_*_effect.py, or a path below a code root")
    .max(MAX_SOURCE_PATH, `is longer than ${MAX_SOURCE_PATH} characters`),
  content: text,
  language: text,
  operation_type: text,
  options: RequestOptions.nullish(),
  project_id: text,
  user_id: text,
  environment: text,
});
export type RequestPayload = z.output<typeof RequestPayload>;

/** A request in the form in which it is answered. */
export interface CodeRequest {
  readonly sourcePath: string;
  /** Code to analyse; `undefined`: the responder reads `sourcePath`. */
  readonly content: string | undefined;
  readonly language: string | undefined;
  /** As it was asked for: an unknown one is refused with `INVALID_OPERATION`. */
  readonly operation: string;
  /** Patterns of this confidence and above are wanted; `undefined`: those above 0.5. */
  readonly threshold: number | undefined;
  readonly limit: number;
  readonly offset: number;
  readonly domain: string | undefined;
  readonly caching: boolean;
  readonly allHosts: boolean;
  readonly withPatterns: boolean;
  readonly withMetrics: boolean;
}

export function requestOf(payload: RequestPayload): CodeRequest {
  const options: Partial<RequestOptions> = payload.options ?? {};
  return {
    sourcePath: payload.source_path,
    content: payload.content ?? undefined,
    language: payload.language ?? undefined,
    // The options may repeat the operation, which then counts.
    operation: (options.operation_type ?? payload.operation_type ?? "COMPREHENSIVE_ANALYSIS").trim().toUpperCase(),
    threshold: options.quality_threshold ?? undefined,
    limit: options.limit ?? DEFAULT_PATTERNS,
    offset: options.offset ?? 0,
    domain: options.domain?.trim() || undefined,
    caching: options.enable_caching ?? true,
    allHosts: options.all_hosts ?? false,
    withPatterns: options.include_patterns ?? true,
    withMetrics: options.include_metrics ?? true,
  };
}

export function readOperation(text: string): Operation | undefined {
  return OPERATIONS.find((operation) => operation === text);
}
