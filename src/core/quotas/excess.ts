import * as z from "zod";
import { Timestamp } from "../signals/timestamp-schema.ts";

/** Somebody who took more than a fair share, and what gave way for that. */
export const Excess = z.object({
  quota: z.string().meta({ description: "What is shared", example: "observations" }),
  sender: z.string().meta({ description: "`token:<id>` or `host:<name>`", example: "token:a2b3c4d5e6f7" }),
  source: z.string().meta({ description: "The source that the sender named" }),
  refused: z.int().meta({ description: "How many items of this sender and source gave way since `since`" }),
  limit: z.number().meta({ description: "How many items there may be" }),
  setting: z.string().meta({ description: "Where the limit is set, or why it cannot be" }),
  since: Timestamp,
  last_at: Timestamp,
});
export type Excess = Readonly<z.infer<typeof Excess>>;

/** {@link Excess}, with the name of the token. */
export const NamedExcess = Excess.extend({
  token_name: z.string().optional().meta({ description: "Name of the token, where the sender is one" }),
});
export type NamedExcess = Readonly<z.infer<typeof NamedExcess>>;
