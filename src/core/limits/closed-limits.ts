import * as z from "zod";

/**
 * The limits of an ecosystem that are closed, as its queues are sent them: always all of them, so that the newest table is
 * enough, whatever became of those before.
 */
export const ClosedLimits = z.object({
  /** Of the store that numbers the tables. */
  epoch: z.string(),
  version: z.int(),
  closed: z.array(z.object({ name: z.string(), until_ms: z.number(), reason: z.string() })).readonly(),
});
export type ClosedLimits = Readonly<z.infer<typeof ClosedLimits>>;
