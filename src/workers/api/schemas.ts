import { z } from "@hono/zod-openapi";
import { SCOPES } from "../../core/access/scopes.ts";
import type { BulkAnswer } from "../../core/dead-letters/api.ts";
import type { DeadLetter } from "../../core/dead-letters/dead-letter.ts";
import { DEAD_LETTER_KINDS } from "../../core/dead-letters/record.ts";
import type { Lineage } from "../../core/lineage/lineage.ts";
import type { ModelSettingsView } from "../../core/models/settings.ts";
import type { Decision, DecisionsPage } from "../../core/policy/decision.ts";
import type { Problem } from "../../core/problem/problem.ts";
import type { AppendResult, LogStatus } from "../../core/signals/api.ts";
import type { Signal } from "../../core/signals/signal.ts";
import type { TokenRecord } from "../../durable-objects/access/object.ts";
import { describes, facts, seq, time } from "./http/schema-parts.ts";

/**
 * What the API answers, as OpenAPI shows it. The types of src/core are the truth; `describes` at the end of each file holds every
 * schema to its type, so that the document cannot promise something else.
 */

export const ProblemSchema = z
  .looseObject({
    type: z.string().openapi({ example: "/problems/invalid-signal" }),
    title: z.string(),
    status: z.int(),
    detail: z.string().optional(),
    errors: z
      .array(z.object({ pointer: z.string().openapi({ description: "JSON pointer (RFC 6901)" }), message: z.string() }))
      .readonly()
      .optional(),
  })
  .openapi("Problem", { description: "Problem details (RFC 9457)" });

export const SignalSchema = z
  .object({
    seq: seq.openapi({ description: "Place in the ecosystem's log, from 1" }),
    id: z.string(),
    signal: z.string().openapi({ example: "Q_DREAM_TRIGGER" }),
    source: z.string(),
    ecosystem: z.string(),
    timestamp: time.openapi({ description: "When it happened, as its sender says" }),
    received_at: time.openapi({ description: "When the log took it" }),
    facts,
    cause: z.string().optional().openapi({ description: "Id of the signal that led to this one" }),
    trace: z.string().optional().openapi({ description: "W3C traceparent" }),
    depth: z.int().optional().openapi({ description: "Length of the chain of causes, where it is known" }),
  })
  .openapi("Signal");

export const SignalPageSchema = z
  .object({
    signals: z.array(SignalSchema),
    next: z.int().nullable().openapi({
      description:
        "Give it as `after` for the next page; null: nothing more for now. A page may be short and still go on.",
    }),
  })
  .openapi("SignalPage");

export const AppendResultSchema = z
  .object({
    first_seq: z.int().nullable(),
    last_seq: z.int().nullable(),
    accepted: z.int(),
    duplicates: z.int().openapi({ description: "Signals that the log had already, counted and not kept twice" }),
    ids: z.array(z.string()).readonly().openapi({ description: "In the order of the request" }),
  })
  .openapi("AppendResult");

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

export const DeadLetterSchema = z
  .object({
    id: z.string(),
    kind: z.enum(DEAD_LETTER_KINDS),
    signal: z.unknown().optional().openapi({ description: "As it came; it need not be valid" }),
    task: z.unknown().optional().openapi({ description: "As its queue last had it" }),
    intent: z.unknown().optional().openapi({ description: "The intent file as its host read it" }),
    webhook: z.unknown().optional().openapi({ description: "The delivery that no endpoint took" }),
    reaction: z.unknown().optional().openapi({ description: "The reaction that failed, and what it was run for" }),
    host: z.string().optional().openapi({ description: "The host on which it lies" }),
    lineage: z
      .array(z.string())
      .readonly()
      .optional()
      .openapi({ description: "Ids of the signal and its causes, nearest first, where a chain was ended" }),
    error: z.string(),
    daemon: z.string(),
    attempts: z.int(),
    first_failed_at: time,
    last_failed_at: time,
    replayed_at: time.optional().openapi({ description: "When it was last replayed" }),
    replay_outcome: z.string().optional().openapi({ description: "replayed, already, or why it failed" }),
  })
  .openapi("DeadLetter");
export const DeadLettersSchema = z
  .object({ dead_letters: z.array(DeadLetterSchema), next: z.string().nullable() })
  .openapi("DeadLetters");

export const ReplayedSchema = z
  .object({
    id: z.string(),
    outcome: z.enum(["replayed", "already"]).openapi({ description: "already: it has happened, or is under way" }),
  })
  .openapi("Replayed");
export const BulkAnswerSchema = z
  .object({
    dry_run: z.boolean(),
    matched: z.int().openapi({ description: "Letters of this page" }),
    done: z.int().openapi({ description: "Replayed, or discarded" }),
    failed: z.array(z.object({ id: z.string(), problem: ProblemSchema })).readonly(),
    dead_letters: z.array(DeadLetterSchema).openapi({ description: "What matched, in a dry run" }),
    next: z.string().nullable().openapi({ description: "Give it as `after` for the rest; null: there is none" }),
  })
  .openapi("DeadLettersHandled");
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

const modelTerms = {
  name: z.string().openapi({ description: "By which rules know it" }),
  model: z.string().openapi({ description: "What the provider calls it" }),
  price_in: z.number().openapi({ description: "US dollars for a million tokens" }),
  price_out: z.number(),
  max_tokens: z.int().openapi({ description: "Of an answer" }),
};
export const ModelSettingsSchema = z
  .object({
    enabled: z.boolean(),
    models: z
      .array(
        z.union([
          z.object({ kind: z.literal("openai"), ...modelTerms, url: z.string(), has_key: z.boolean() }),
          z.object({ kind: z.literal("workers-ai"), ...modelTerms }),
        ]),
      )
      .readonly(),
    daily: z.object({ requests: z.int(), usd: z.number() }),
    version: z.int().openapi({ description: "Goes up with each change; 0: nothing was set yet" }),
    spent: z.object({ day: z.string(), requests: z.int(), usd: z.number() }).openapi({
      description: "Today, in UTC; what is under way is counted at its highest price",
    }),
  })
  .openapi("ModelSettings");

const LogStatusSchema = z.object({
  head_seq: z.int(),
  oldest_seq: z.int().nullable(),
  signals_last_minute: z.int(),
  subscribers: z.int(),
  hosts: z.array(z.string()).readonly(),
  unknown_frames: z.int().openapi({ description: "Frames of newer agents, passed over since the log woke" }),
});
export const StatusSchema = z
  .object({
    ecosystem: z.string(),
    log: LogStatusSchema,
    window: z.object({ seconds: z.number(), size: z.int(), oldest: time.nullable(), newest: time.nullable() }),
    gaps: z.object({ open: z.int() }),
    dead_letters: z.int().openapi({ description: "What could not be processed and waits for somebody" }),
  })
  .openapi("Status");

export const TokenSchema = z
  .object({
    id: z.string(),
    name: z.string(),
    scopes: z.array(z.enum(SCOPES)).readonly(),
    ecosystems: z.array(z.string()).readonly(),
    expires_at: time.nullable(),
    created_at: time,
  })
  .openapi("Token");
export const TokensSchema = z.object({ tokens: z.array(TokenSchema) }).openapi("Tokens");
export const CreatedTokenSchema = TokenSchema.extend({
  token: z.string().openapi({ description: "The token itself, shown this once" }),
}).openapi("CreatedToken");

describes<Problem>()(ProblemSchema);
describes<Signal>()(SignalSchema);
describes<AppendResult>()(AppendResultSchema);
describes<Decision>()(DecisionSchema);
describes<DecisionsPage>()(DecisionsSchema);
describes<DeadLetter>()(DeadLetterSchema);
describes<BulkAnswer>()(BulkAnswerSchema);
describes<ModelSettingsView>()(ModelSettingsSchema);
describes<Lineage>()(LineageSchema);
describes<LogStatus>()(LogStatusSchema);
describes<TokenRecord>()(TokenSchema);
