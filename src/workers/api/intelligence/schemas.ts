import { IntelligenceContext } from "../../../core/intelligence/context.ts";
import { LibraryFindings } from "../../../core/intelligence/library.ts";
import { Pattern } from "../../../core/intelligence/pattern.ts";
import { named } from "../http/schema-parts.ts";

export const LibrarySchema = named("LibraryFindings", LibraryFindings);
const PatternSchema = named("CodePattern", Pattern);
export const ContextSchema = named(
  "IntelligenceContext",
  IntelligenceContext.extend({ production_examples: PatternSchema.array().readonly() }),
);
