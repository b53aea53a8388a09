import * as z from "zod";

/**
 * The limits of an ecosystem that are closed, and the budgets that are spent, as its queues are sent them: always all of
 * them, so that the newest table is enough, whatever became of those before.
 */
export const ClosedLimits = z.object({
  /** Of the store that numbers the tables. */
  epoch: z.string(),
  version: z.int(),
  closed: z.array(z.object({ name: z.string(), until_ms: z.number(), reason: z.string() })).readonly(),
  /** Agents whose budget of the day is spent; `null`: the whole ecosystem's is. Absent: an earlier version wrote the table. */
  spent: z
    .array(z.object({ agent: z.string().nullable(), until_ms: z.number(), reason: z.string() }))
    .readonly()
    .default([]),
});
export type ClosedLimits = Readonly<z.infer<typeof ClosedLimits>>;
