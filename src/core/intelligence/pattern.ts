import * as z from "zod";

const texts = z.array(z.string());
const share = z.number().min(0).max(1);

/** A method of a pattern. */
export const PatternMethod = z.looseObject({
  name: z.string(),
  signature: z.string(),
  async: z.boolean(),
  decorators: texts,
});

/**
 * One example that was found. A responder of another version may say less: only the path and the confidence are needed.
 */
export const Pattern = z.looseObject({
  file_path: z.string(),
  confidence: share,
  host: z.string().optional(),
  name: z.string().optional(),
  description: z.string().nullish(),
  pattern_type: z.string().optional(),
  node_type: z.string().nullish(),
  node_types: texts.optional(),
  domain: z.string().nullish(),
  use_cases: texts.optional(),
  best_practices: texts.optional(),
  code_snippet: z.string().nullish(),
  class_name: z.string().nullish(),
  bases: texts.optional(),
  class_structure: z.array(z.looseObject({ name: z.string(), bases: texts, methods: texts })).optional(),
  methods: z.array(z.union([PatternMethod, z.string()])).optional(),
  decorators: texts.optional(),
  imports: texts.optional(),
  error_handling: z.unknown().optional(),
  transaction_management: z.unknown().optional(),
  metrics_tracking: z.unknown().optional(),
  documentation: z.unknown().optional(),
  metrics: z.record(z.string(), z.unknown()).nullish(),
  metadata: z.looseObject({ complexity: z.number().nullish(), last_updated: z.string().nullish() }).nullish(),
});
export type Pattern = z.output<typeof Pattern>;
