import { z } from "@hono/zod-openapi";
import type { Decision, DecisionsPage } from "../../../core/policy/decision.ts";
import { describes, facts, seq, time } from "../http/schema-parts.ts";

const AskedSchema = z
  .object({
    model: z.string(),
    prompt: z.string(),
    choices: z.array(z.string()).readonly(),
    state: z.enum(["asked", "answered", "fallback"]),
    choice: z.string().optional(),
    why: z.string().optional().openapi({ description: "Why it is the fallback", example: "timeout" }),
    reason: z.string().optional().openapi({ description: "What the model said about its choice" }),
    detail: z.string().optional(),
    cost_usd: z.number().optional(),
    tokens_in: z.number().optional(),
    tokens_out: z.number().optional(),
    duration_ms: z.number().optional(),
  })
  .openapi("Asked", { description: "A question to a language model, and how it was settled" });
export const DecisionSchema = z
  .object({
    id: z.string(),
    rule: z.string(),
    rule_version: z.int(),
    signal: z.object({ seq, id: z.string(), signal: z.string() }),
    decided_at: time,
    outcome: z.enum(["fired", "suppressed", "failed"]),
    by: z.literal("time").optional().openapi({ description: "Something expected did not come in time" }),
    reason: z.string().optional(),
    values: facts,
    effects: z
      .array(z.string())
      .readonly()
      .openapi({ description: "Ids of the signals, tasks and deliveries it caused" }),
    tasks: z
      .array(z.object({ task_id: z.string(), queue: z.string() }))
      .readonly()
      .optional(),
    deliveries: z
      .array(z.object({ delivery_id: z.string(), endpoint: z.string() }))
      .readonly()
      .optional(),
    asked: AskedSchema.optional(),
  })
  .openapi("Decision");
export const DecisionsSchema = z
  .object({ decisions: z.array(DecisionSchema).readonly(), next: z.string().nullable() })
  .openapi("Decisions");

/** The form of a rule is documented in docs/policies.md; the schema that checks it is src/core/policy/rule.ts. */
export const PolicySchema = z.unknown().openapi("Policy", {
  type: "object",
  properties: {
    id: { type: "string" },
    version: { type: "integer" },
    enabled: { type: "boolean" },
    built_in: { type: "boolean", description: "One of the pack that every ecosystem starts with" },
    modified: { type: "boolean", description: "One of the pack that was changed here" },
    changed_at: { type: "string", format: "date-time" },
    changed_by: { type: ["string", "null"] },
  },
  required: ["id", "version", "enabled", "built_in", "modified", "changed_at", "changed_by"],
  additionalProperties: true,
});
export const PoliciesSchema = z.object({ policies: z.array(PolicySchema) }).openapi("Policies");
export const PolicyVersionsSchema = z
  .object({
    policy: PolicySchema,
    versions: z.array(
      z.object({
        version: z.int(),
        changed_at: time,
        changed_by: z.string().nullable(),
        after_seq: seq.openapi({ description: "It decided on the signals after this place of the log" }),
        rule: z.unknown().openapi({ type: ["object", "null"], description: "null: the rule was deleted" }),
      }),
    ),
  })
  .openapi("PolicyVersions");
const ids = z.array(z.string()).readonly();
export const PolicyChangesSchema = z
  .object({ created: ids, changed: ids, unchanged: ids, deleted: ids, after_seq: seq })
  .openapi("PolicyChanges");
export const ExpectationsSchema = z
  .object({
    expectations: z
      .array(
        z.object({
          rule: z.string(),
          by: z.string().openapi({ description: "What belongs together: the value of `by`" }),
          signal: z.array(z.string()).readonly().openapi({ description: "What is waited for" }),
          since: time,
          due: time.openapi({ description: "An answer that the log takes after this is too late" }),
          cause: z.object({ seq, id: z.string(), signal: z.string() }),
        }),
      )
      .readonly(),
    total: z.int(),
    next: z.string().nullable(),
  })
  .openapi("Expectations");

describes<Decision>()(DecisionSchema);
describes<DecisionsPage>()(DecisionsSchema);
