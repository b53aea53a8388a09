import * as z from "zod";

/** How far a budget is used up: from two thirds on somebody is told, and at its end. */
export const LEVELS = ["open", "noticed", "spent"] as const;
export const BudgetLevel = z.enum(LEVELS);
export type BudgetLevel = z.infer<typeof BudgetLevel>;

/** What one agent, task, chain or ecosystem has used of a budget, and what reservations hold of it. */
export const Counter = z.object({
  budget: z.string(),
  /** Name of the agent, task or chain; empty: the ecosystem. */
  subject: z.string(),
  /** As the clock of the budget's zone shows it, 20260131; 0: it counts for life. */
  day: z.number(),
  tokens: z.number(),
  heldTokens: z.number(),
  /** Billionths of a dollar. */
  nanos: z.number(),
  heldNanos: z.number(),
  level: BudgetLevel,
  /** When its level was reached, by the clock. */
  sinceMs: z.number(),
  /** When its day ends; `null`: it counts for life. */
  untilMs: z.number().nullable(),
  /** When it was last used. */
  usedMs: z.number(),
  /** The signal that told of its level. */
  signal: z.string().nullable(),
});
export type Counter = z.infer<typeof Counter>;

/** The counter that subjects share for which there is no room. */
export const OTHERS = "*";

const FORGOTTEN_MS = 30 * 86_400_000;
const DAY_MS = 86_400_000;

/**
 * When a counter may be forgotten: a day after its own, so that a clock that is set back finds it, or when it was idle for 30
 * days. Reservations, which last for a day at most, hold nothing of it by then.
 */
export const forgottenAtMs = ({ untilMs, usedMs }: Counter): number =>
  untilMs === null ? usedMs + FORGOTTEN_MS : Math.max(untilMs, usedMs) + DAY_MS;
