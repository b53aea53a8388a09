import * as z from "zod";
import { LimitZone } from "../settings.ts";

/** Budgets of an ecosystem, at most. */
export const MAX_BUDGETS = 20;
/** Agents, tasks or chains that one budget counts apart, at most: further ones share one counter. */
export const MAX_SUBJECTS = 10_000;

export const BUDGET_SCOPES = ["agent", "task", "chain", "ecosystem"] as const;

/** A budget as people write it. */
export const BudgetInput = z
  .strictObject({
    description: z.string().max(500).optional(),
    scope: z.enum(BUDGET_SCOPES).meta({
      description:
        "What has the budget: each agent, each task or each chain of its own, or all of the ecosystem together",
    }),
    match: z.string().min(1).max(256).default("*").meta({
      description: "Names of the agents, tasks or chains that have it; * stands for any characters",
      example: "coder-*",
    }),
    tokens: z
      .int()
      .min(1)
      .max(1_000_000_000_000)
      .optional()
      .meta({ description: "Tokens, sent and received together" }),
    usd: z.number().positive().max(1_000_000).optional().meta({ description: "US dollars" }),
    per: z.enum(["day", "life"]).default("day").meta({
      description: "day: begins anew at each midnight; life: once for all that the agent, task or chain ever uses",
    }),
    zone: LimitZone.meta({ description: "IANA time zone in which days begin", example: "Europe/Berlin" }),
    at_end: z.enum(["closed", "open"]).default("closed").meta({
      description: "closed: nothing more is granted when it is spent; open: somebody is told, and it goes on",
    }),
  })
  .refine(({ tokens, usd }) => tokens !== undefined || usd !== undefined, {
    path: ["tokens"],
    message: "a budget has tokens, usd or both: give one of them",
  });
export type BudgetInput = z.input<typeof BudgetInput>;
export type BudgetSettings = z.output<typeof BudgetInput>;
