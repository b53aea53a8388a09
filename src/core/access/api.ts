import * as z from "zod";
import { Timestamp } from "../signals/timestamp.ts";
import { Grant } from "./grant.ts";

/** A grant, and when its token was created. */
export const TokenRecord = Grant.extend({ created_at: Timestamp });
export type TokenRecord = Readonly<z.infer<typeof TokenRecord>>;

/** The token itself, in the answer to the call that creates it. */
export const TokenSecret = z.object({
  token: z.string().meta({ description: "The token itself; it is not shown again" }),
});
export type CreatedToken = TokenRecord & z.infer<typeof TokenSecret>;

export interface EcosystemRecord {
  readonly name: string;
  readonly last_active_at: string;
}

export interface QueueRecord {
  readonly name: string;
  readonly created_at: string;
}
