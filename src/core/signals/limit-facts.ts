import * as z from "zod";

const text = z.string().min(1);

/** A limit of a provider that was closed, or is open again. */
export const LimitFacts = z.looseObject({
  limit: text.meta({ description: "Name of the limit" }),
});

/** A budget of an agent, a task, a chain or the ecosystem. */
export const BudgetFacts = z.looseObject({
  budget: text.meta({ description: "Name of the budget" }),
  scope: z.enum(["agent", "task", "chain", "ecosystem"]).meta({ description: "What has the budget" }),
  at_end: z.enum(["open", "closed"]).meta({ description: "closed: nothing more is granted at its end" }),
});
