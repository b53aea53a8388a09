import * as z from "zod";
import { Timestamp } from "../signals/timestamp.ts";

/** From the most to the least urgent. */
export const SEVERITIES = ["critical", "warning", "info"] as const;

/** Something that needs somebody. */
export const AttentionItem = z.object({
  id: z.string().meta({ description: "The same for as long as the matter stands, within its ecosystem" }),
  ecosystem: z.string(),
  kind: z.enum([
    "host_down",
    "host_alert",
    "agent_given_up",
    "rule_quarantined",
    "queue_alert",
    "gap",
    "dead_letters",
    "forwards_waiting",
    "budget",
  ]),
  severity: z.enum(SEVERITIES),
  subject: z.string().meta({ description: "What it is about: a host, a rule, a queue, a gap", example: "gpu-01" }),
  why: z.string().meta({ description: "What is wrong" }),
  since: Timestamp.nullable().meta({ description: "Since when, where it is known" }),
  next_step: z.string().meta({ description: "What to do, mostly a command" }),
  effects: z.array(z.string()).readonly().meta({ description: "What it leads to while nobody does anything" }),
});
export type AttentionItem = Readonly<z.infer<typeof AttentionItem>>;

/** What needs somebody in one ecosystem. */
export const Attention = z.object({
  items: z.array(AttentionItem).readonly().meta({ description: "Most urgent first" }),
  checked_at: Timestamp,
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
