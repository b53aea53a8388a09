import { z } from "@hono/zod-openapi";
import { ChainDelivery, ChainTask, type Lineage } from "../../../core/lineage/api.ts";
import { DeadLetterSchema } from "../dead-letters/schemas.ts";
import { describes } from "../http/schema-parts.ts";
import { DecisionSchema } from "../policy/schemas.ts";
import { SignalSchema } from "../signals/schemas.ts";

export const LineageSchema = z
  .object({
    signal: SignalSchema,
    causes: z
      .array(SignalSchema)
      .readonly()
      .openapi({ description: "Signals that led to this signal, the first cause first" }),
    missing_cause: z
      .string()
      .optional()
      .openapi({ description: "Id that the first of the chain names as its cause and that the log does not hold" }),
    effects: z
      .array(SignalSchema)
      .readonly()
      .openapi({ description: "Direct and indirect effects of the signal, in the order of the log" }),
    decisions: z.array(DecisionSchema).readonly().openapi({ description: "Decisions of rules on these signals" }),
    tasks: z.array(ChainTask).readonly().openapi({ description: "Tasks that followed from these signals" }),
    deliveries: z
      .array(ChainDelivery)
      .readonly()
      .openapi({ description: "Webhook deliveries that rules started on these signals" }),
    dead_letters: z.array(DeadLetterSchema).readonly(),
    truncated: z.boolean().openapi({ description: "The lineage is larger than the part that was looked up" }),
  })
  .openapi("Lineage");

describes<Lineage>()(LineageSchema);
