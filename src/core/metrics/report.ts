import * as z from "zod";
import { Usage } from "../billing/usage.ts";
import { Buckets } from "../numbers/bucket-counts.ts";

/** A figure of a family of families.ts, with the values of the labels in the family's order, as far as the object knows them. */
export const Sample = z.tuple([z.string(), z.array(z.string()).readonly(), z.union([z.number(), Buckets])]).readonly();
export type Sample = z.infer<typeof Sample>;

/**
 * What an object reports of itself. Counters in it are on the object's disk, so that none falls when the object is killed
 * and read from its disk again.
 */
export const StateReport = z.object({
  /** Name of its class. */
  object: z.string(),
  /** All that it ever used of billed units, as far as that is on its disk. */
  usage: Usage,
  database_bytes: z.number(),
  samples: z.array(Sample).readonly(),
  /** How often a label value found no place, see labelled-counts.ts. */
  folded: z.number(),
  /** Of the log: the last signal that was sent to each projection. */
  sent: z.record(z.string(), z.number()).optional(),
  /** Of a projection: its name and its place in the log. */
  cursor: z.tuple([z.string(), z.number()]).optional(),
  /** Not of an object, but what is left of those that were deleted. */
  rest: z.literal(true).optional(),
});
export type StateReport = Readonly<z.infer<typeof StateReport>>;

/** A report as it is kept. */
export interface KeptReport {
  /** Of a queue: the value of the label `queue`; of others "". */
  readonly label: string;
  readonly atMs: number;
  readonly body: string;
}
