import { z } from "@hono/zod-openapi";
import type { Lineage } from "../../../core/lineage/lineage.ts";
import { DeadLetterSchema } from "../dead-letters/schemas.ts";
import { describes, time } from "../http/schema-parts.ts";
import { DecisionSchema } from "../policy/schemas.ts";
import { SignalSchema } from "../signals/schemas.ts";

export const LineageSchema = z
  .object({
    signal: SignalSchema,
    causes: z.array(SignalSchema).readonly().openapi({ description: "What led to it, the first cause first" }),
    missing_cause: z.string().optional().openapi({ description: "Named as the first cause, and not in the log" }),
    effects: z.array(SignalSchema).readonly().openapi({
      description: "What it led to, directly or through others, in the order of the log",
    }),
    decisions: z
      .array(DecisionSchema)
      .readonly()
      .openapi({ description: "What rules decided on any of these signals" }),
    tasks: z
      .array(
        z.object({
          ...{ queue: z.string(), task_id: z.string(), cause: z.string(), rule: z.string().optional() },
          status: z.enum(["queued", "running", "complete", "failed", "unknown"]).openapi({
            description: "unknown: it ended more than a day ago, or its queue never took it",
          }),
          ...{ outcome: z.string().optional(), recipient: z.string().optional(), type: z.string().optional() },
          ...{ attempt: z.int().optional(), worker: z.string().optional(), error: z.string().optional() },
        }),
      )
      .readonly()
      .openapi({ description: "Tasks that it led to" }),
    deliveries: z
      .array(
        z.object({
          ...{ delivery_id: z.string(), endpoint: z.string(), cause: z.string(), rule: z.string() },
          state: z.enum(["waiting", "delivered", "failed", "skipped", "unknown"]).openapi({
            description: "failed: given up; unknown: it ended long ago, or there is no such endpoint",
          }),
          ...{ attempts: z.int().optional(), last_status: z.int().optional(), last_error: z.string().optional() },
          next_attempt_at: time.optional(),
        }),
      )
      .readonly()
      .openapi({ description: "Messages to webhooks that rules had sent" }),
    dead_letters: z.array(DeadLetterSchema).readonly(),
    truncated: z.boolean().openapi({ description: "There is more than was looked for" }),
  })
  .openapi("Lineage");

describes<Lineage>()(LineageSchema);
