import * as z from "zod";
import { Timestamp } from "../signals/timestamp-schema.ts";
import { LateMail } from "./late-mail.ts";

/** Tasks of a recipient with the same needs that wait for a host. */
const UnplacedTasks = z.object({
  recipient: z.string(),
  task_id: z.string().meta({ description: "The one that waits longest" }),
  tasks: z.int().positive().meta({ description: "How many wait" }),
  since: Timestamp.meta({ description: "Since when that one is ready" }),
  why: z.string().meta({ description: "Why no worker is given it" }),
});
export type UnplacedTasks = Readonly<z.infer<typeof UnplacedTasks>>;

/** What is wrong in a queue beyond its alerts. */
export const QueueTrouble = {
  late_mail: LateMail.optional().meta({
    description: "Only of the queue mail: recipients whose messages are late; absent: none are",
  }),
  unplaced: z.array(UnplacedTasks).readonly().optional().meta({
    description: "Tasks that wait for a host that has what they need, the longest first; absent: none do",
  }),
};
