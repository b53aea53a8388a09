import * as z from "zod";
import { Timestamp } from "../signals/timestamp-schema.ts";

const Count = z.int().nonnegative();

/** Recipients whose messages were not delivered, or not read, in the time that their senders gave them. */
export const LateMail = z
  .array(
    z.object({
      recipient: z.string(),
      undelivered: Count.meta({ description: "Messages that were not delivered in their time" }),
      unread: Count.meta({ description: "Messages that were not read in their time" }),
      since: Timestamp.meta({ description: "When the oldest of them was sent" }),
    }),
  )
  .readonly();
export type LateMail = z.infer<typeof LateMail>;
