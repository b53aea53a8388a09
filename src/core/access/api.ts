import * as z from "zod";
import { Timestamp } from "../signals/timestamp-schema.ts";
import { Grant } from "./grant.ts";

/** A grant, and when its token was created. */
export const TokenRecord = Grant.extend({ created_at: Timestamp });
export type TokenRecord = Readonly<z.infer<typeof TokenRecord>>;

/** The token itself, in the answer to the call that creates it. */
export const TokenSecret = z.object({
  token: z.string().meta({ description: "The token itself; it is not shown again" }),
});
export const CreatedToken = TokenRecord.extend(TokenSecret.shape);
export type CreatedToken = Readonly<z.infer<typeof CreatedToken>>;

export const Tokens = z.object({ tokens: z.array(TokenRecord) });

export interface EcosystemRecord {
  readonly name: string;
  readonly last_active_at: string;
}

export const QueueRecord = z.object({ name: z.string(), created_at: Timestamp });
export type QueueRecord = Readonly<z.infer<typeof QueueRecord>>;

/** The queues of an ecosystem. */
export const Queues = z.object({ queues: z.array(QueueRecord) });
