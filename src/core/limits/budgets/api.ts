import * as z from "zod";
import { Timestamp } from "../../signals/timestamp-schema.ts";
import { BudgetLevel } from "./counter.ts";
import { BUDGET_SCOPES, BudgetInput } from "./settings.ts";

/** Counters that one answer shows, the furthest used first. */
export const SHOWN_COUNTERS = 20;
/** Counters that attention shows. */
export const SHOWN_FINDINGS = 50;

const Count = z.number();
const Subject = z.string().nullable().meta({
  description: "The agent, task or chain; null: the ecosystem; *: those for which there is no room",
});

export const BudgetUse = z.object({
  subject: Subject,
  state: BudgetLevel.meta({ description: "noticed: two thirds are used; spent: nothing is left" }),
  tokens: Count.meta({ description: "Tokens that were used" }),
  usd: Count.meta({ description: "US dollars that were used" }),
  held_tokens: Count.meta({ description: "Tokens that reservations hold" }),
  held_usd: Count.meta({ description: "US dollars that reservations hold" }),
  until: Timestamp.nullable().meta({ description: "When it begins anew; null: never" }),
});
export type BudgetUse = Readonly<z.infer<typeof BudgetUse>>;

/** A budget as it is. */
export const SpendingBudget = z.object({
  name: z.string().meta({ description: "Name of the budget" }),
  ...BudgetInput.shape,
  used: z
    .array(BudgetUse)
    .readonly()
    .meta({ description: `Of the present day, or for life: the ${SHOWN_COUNTERS} furthest used` }),
  subjects: z.int().meta({ description: "How many are counted in all, those of the days before included" }),
  created_at: Timestamp,
  changed_at: Timestamp,
});
export type SpendingBudget = Readonly<z.infer<typeof SpendingBudget>>;

export const BudgetPage = z.object({ budgets: z.array(SpendingBudget).readonly().meta({ description: "By name" }) });
export type BudgetPage = Readonly<z.infer<typeof BudgetPage>>;

/** A budget that is used to two thirds, or wholly, when attention is asked for. */
export const BudgetFinding = z.object({
  budget: z.string(),
  scope: z.enum(BUDGET_SCOPES),
  subject: z.string(),
  spent: z.boolean(),
  at_end: z.enum(["open", "closed"]),
  used: z.string(),
  since: Timestamp,
  until: Timestamp.nullable(),
  signal: z.string().nullable(),
});
export type BudgetFinding = Readonly<z.infer<typeof BudgetFinding>>;
