import { Lineage, UpstreamChain } from "../../../core/lineage/api.ts";
import { DeadLetterSchema } from "../dead-letters/schemas.ts";
import { named } from "../http/schema-parts.ts";
import { DecisionSchema } from "../policy/schemas.ts";
import { SignalSchema } from "../signals/schemas.ts";

const { causes, effects, decisions, upstream } = Lineage.shape;

export const LineageSchema = named(
  "Lineage",
  // The same schemas, by their names in the document.
  Lineage.extend({
    signal: SignalSchema,
    causes: SignalSchema.array()
      .readonly()
      .meta(causes.meta() ?? {}),
    effects: SignalSchema.array()
      .readonly()
      .meta(effects.meta() ?? {}),
    decisions: DecisionSchema.array()
      .readonly()
      .meta(decisions.meta() ?? {}),
    dead_letters: DeadLetterSchema.array().readonly(),
    upstream: UpstreamChain.extend({
      signals: SignalSchema.array()
        .readonly()
        .meta(UpstreamChain.shape.signals.meta() ?? {}),
      decisions: DecisionSchema.array().readonly(),
    })
      .array()
      .readonly()
      .optional()
      .meta(upstream.meta() ?? {}),
  }),
);
