import * as z from "zod";
import { Timestamp } from "../signals/timestamp-schema.ts";

/** From the most to the least urgent. */
export const SEVERITIES = ["critical", "warning", "info"] as const;

/** Effects of one cause that are written out; all are counted. */
export const SHOWN_EFFECTS = 20;
/** Causes in one document; those beyond are counted. */
export const SHOWN_ITEMS = 200;

/** A call of this API that is safe to make about a matter. */
export const AttentionAction = z.object({
  label: z.string().meta({ description: "What the call does, in few words", example: "Start coder on gpu-01" }),
  method: z.enum(["GET", "POST", "PATCH", "PUT"]).meta({ description: "GET: the call only looks" }),
  path: z.string().meta({ description: "Path of the call, with its query" }),
  body: z
    .record(z.string(), z.unknown())
    .optional()
    .meta({ description: "JSON body of the call; absent: it has none", type: "object", additionalProperties: true }),
});
export type AttentionAction = Readonly<z.infer<typeof AttentionAction>>;

/** Something that needs somebody: one cause, with everything that follows from it. */
export const AttentionItem = z.object({
  id: z.string().meta({ description: "The same for as long as the matter stands, within its ecosystem" }),
  cause: z.string().meta({ description: "Key of the cause by which findings are grouped; the same as `id`" }),
  ecosystem: z.string(),
  kind: z.enum([
    "host_down",
    "host_alert",
    "agent_given_up",
    "agent_hung",
    "session_frozen",
    "session_waiting",
    "rule_quarantined",
    "scanner_quarantined",
    "queue_alert",
    "breaker_open",
    "queue_paused",
    "mail_late",
    "tasks_unplaced",
    "tasks_unjudged",
    "gap",
    "dead_letters",
    "webhook_failing",
    "export_failing",
    "question_open",
    "limit_closed",
    "budget_notice",
    "budget_spent",
    "schedule_late_start",
    "schedule_late_finish",
    "schedule_too_fast",
    "schedule_too_often",
    "lock_waiting",
    "lock_cycle",
    "expectation_late",
    "forwards_waiting",
    "projection_lagging",
    "log_damaged",
    "budget",
  ]),
  severity: z.enum(SEVERITIES),
  subject: z.string().meta({ description: "What it is about: a host, a rule, a queue, a gap", example: "gpu-01" }),
  what: z.string().meta({ description: "The matter in a few words", example: "the host gpu-01 is down" }),
  why: z.string().meta({ description: "What is wrong" }),
  since: Timestamp.nullable().meta({ description: "Since when, where it is known" }),
  consequence: z.string().meta({ description: "What happens while nobody does anything" }),
  next_step: z.string().meta({ description: "What to do, mostly a command" }),
  choices: z.array(AttentionAction).readonly().optional().meta({
    description: "Calls of which somebody makes one, such as the answers to a question; absent: there are none",
  }),
  action: AttentionAction.nullable().meta({ description: "One safe call of this API about it; null: there is none" }),
  chain: z.string().nullable().meta({
    description: "Id of the signal whose chain shows how it came to this; null: no signal of the log tells of it",
  }),
  effects: z
    .array(z.string())
    .readonly()
    .meta({ description: `What else was found and follows from it, the first ${SHOWN_EFFECTS}` }),
  effects_total: z.int().nonnegative().meta({ description: "How many findings follow from it" }),
});
export type AttentionItem = Readonly<z.infer<typeof AttentionItem>>;

/** What needs somebody in one ecosystem. */
export const Attention = z.object({
  items: z
    .array(AttentionItem)
    .readonly()
    .meta({ description: `Most urgent first, ${SHOWN_ITEMS} at most; a row for each cause` }),
  checked_at: Timestamp,
  total: z.int().nonnegative().meta({ description: "Causes in all" }),
  critical: z.int().nonnegative().meta({ description: "Causes that are critical" }),
  left_out: z.int().nonnegative().meta({ description: "Causes beyond those of `items`" }),
  unread: z
    .array(z.string())
    .readonly()
    .meta({ description: "What could not be looked at, or is too much to be looked at in one call" }),
});
export type Attention = Readonly<z.infer<typeof Attention>>;

/** What needs somebody in all ecosystems that a token may see, a page of ecosystems at a time. */
export const AttentionPage = Attention.extend({
  ecosystems: z
    .array(
      z.object({
        name: z.string(),
        items: z.int().meta({ description: "How much needs somebody there" }),
        worst: z.enum(SEVERITIES).nullable().meta({ description: "null: nothing does" }),
        last_active_at: Timestamp,
        failed: z.string().optional().meta({ description: "Why the ecosystem could not be looked at; absent: it was" }),
      }),
    )
    .readonly()
    .meta({ description: "The ecosystems of this page, by name" }),
  next: z.string().nullable().meta({ description: "Give this as `after` for the next page; null: there is none" }),
});
export type AttentionPage = Readonly<z.infer<typeof AttentionPage>>;
