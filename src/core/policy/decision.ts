import * as z from "zod";
import { Timestamp } from "../signals/timestamp-schema.ts";
import { GatheredContext } from "./gathered-context.ts";

/** The question to a language model that belongs to a decision, and how it was settled. */
export const Asked = z.object({
  model: z.string(),
  prompt: z.string(),
  prompt_cut_from: z
    .int()
    .optional()
    .meta({ description: "Characters of the whole prompt, where it was too long and its end was left out" }),
  context: GatheredContext.optional().meta({ description: "What the model was told beside the prompt" }),
  choices: z.array(z.string()).readonly(),
  state: z.enum(["asked", "answered", "fallback"]),
  choice: z.string().optional(),
  why: z.string().optional().meta({ description: "Why the fallback was taken", example: "timeout" }),
  reason: z.string().optional().meta({ description: "Why the model chose so, in its own words; for people to read" }),
  detail: z.string().optional(),
  cost_usd: z.number().optional(),
  tokens_in: z.number().optional(),
  tokens_out: z.number().optional(),
  duration_ms: z.number().optional(),
});
export type Asked = Readonly<z.output<typeof Asked>>;

/** A mark of an older system that holds a rule back. */
const ImportedMark = z.object({
  kind: z
    .enum(["in_flight", "cooldown", "once_per"])
    .meta({ description: "Which field of the rule keeps it: `in_flight` is `while_in_flight`" }),
  key: z.string().optional().meta({ description: "Value of the field's `by`" }),
  since: Timestamp.meta({ description: "When the older system began it, or fired" }),
  until: Timestamp.meta({ description: "When it ends by itself" }),
});
export type ImportedMark = Readonly<z.output<typeof ImportedMark>>;

const Refused = z.string().optional().meta({
  description: "Why nothing was sent: the author of the rule has no right to it in the other ecosystem",
});

/** What a rule decided, and why. */
export const Decision = z.object({
  id: z.string(),
  rule: z.string(),
  rule_version: z.int(),
  signal: z.object({
    seq: z.int().meta({ example: 42 }),
    id: z.string(),
    signal: z.string(),
    trace: z.string().optional().meta({ description: "W3C traceparent of the signal" }),
  }),
  // When the log received the signal, or, after a time-out, the last moment for the awaited signal.
  decided_at: Timestamp,
  outcome: z.enum(["fired", "suppressed", "failed"]),
  by: z.literal("time").optional().meta({ description: "An expected signal did not come in time" }),
  reason: z.string().optional(),
  values: z.record(z.string(), z.unknown()).meta({ type: "object", additionalProperties: true }),
  effects: z.array(z.string()).readonly().meta({
    description: "Ids of the signals, tasks and deliveries that the decision caused, in the order of the rule",
  }),
  tasks: z
    .array(
      z.object({
        task_id: z.string(),
        queue: z.string().meta({ description: "`<ecosystem>/<queue>`, where it is one of another ecosystem" }),
        refused: Refused,
      }),
    )
    .readonly()
    .optional(),
  deliveries: z
    .array(
      z.object({
        delivery_id: z.string(),
        endpoint: z.string(),
        undelivered: z.string().optional().meta({ description: "Why the message went nowhere" }),
      }),
    )
    .readonly()
    .optional(),
  forwards: z
    .array(
      z.object({
        forward_id: z.string().meta({ description: "Id of the signal in the other ecosystem" }),
        ecosystem: z.string(),
        signal: z.string(),
        refused: Refused,
      }),
    )
    .readonly()
    .optional(),
  asked: Asked.optional(),
  imported: z
    .object({
      by: z.string().meta({ description: "Name of the token" }),
      marks: z.array(ImportedMark).readonly().meta({ description: "What holds the rule back" }),
    })
    .optional()
    .meta({
      description:
        "No decision on a signal: state of an older system was imported, and holds the rule back. `signal.id` is that of " +
        "`Q_POLICY_STATE_IMPORTED`; `signal.seq` is that of the last signal before the import",
    }),
});
export type Decision = Readonly<z.output<typeof Decision>>;

/** Which decisions to list; decisions on the newest signals come first. */
export interface DecisionsQuery {
  readonly limit: number;
  /** `next` of the page before. */
  readonly after?: string | undefined;
  readonly rule?: string | undefined;
  readonly outcome?: string | undefined;
  /** Only decisions on the signal with this sequence number. */
  readonly seq?: number | undefined;
  readonly sinceMs?: number | undefined;
  readonly untilMs?: number | undefined;
}

export const DecisionsPage = z.object({ decisions: z.array(Decision).readonly(), next: z.string().nullable() });
export type DecisionsPage = Readonly<z.output<typeof DecisionsPage>>;
