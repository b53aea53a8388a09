import type * as z from "zod";
import type { GatherFrame } from "../../core/wire/link-frames.ts";
import type { Connection } from "./connection.ts";

/** How far a subscription has come whose subscriber gave it a number. */
export type Complete = NonNullable<z.infer<typeof GatherFrame>["complete"]>;

/** `undefined`: the subscriber gave no number, or more is to be sent to it. */
export function completeFor({ subscription, behind }: Connection): Complete | undefined {
  if (subscription?.number === undefined || behind) return undefined;
  return { number: subscription.number, seq: subscription.sent };
}
