import * as z from "zod";
import { Timestamp } from "../signals/timestamp-schema.ts";
import { DEAD_LETTER_KINDS } from "./kinds.ts";

/** A signal, task, file, message or reaction that could not be processed, kept with the reason. */
export const DeadLetter = z.object({
  id: z.string(),
  kind: z.enum(DEAD_LETTER_KINDS),
  signal: z
    .unknown()
    .optional()
    .meta({ description: "The signal as received. It need not be valid: that may be the reason of the failure" }),
  task: z.unknown().optional().meta({ description: "The task as its queue last held it" }),
  intent: z.unknown().optional().meta({ description: "The intent file as its host read it" }),
  webhook: z.unknown().optional().meta({ description: "The delivery that its endpoint did not accept" }),
  reaction: z
    .unknown()
    .optional()
    .meta({ description: "The reaction of a host that failed, and the signal or task that it ran for" }),
  host: z.string().optional().meta({ description: "The host that keeps the failed item, where the edge does not" }),
  lineage: z.array(z.string()).readonly().optional().meta({
    description: "Ids of the signal and of its causes, nearest first, where the loop guard ended a chain of causes",
  }),
  error: z.string(),
  daemon: z.string().meta({ description: "The component that gave up, such as ganglion/policy or agent/intents" }),
  attempts: z.int(),
  first_failed_at: Timestamp,
  last_failed_at: Timestamp,
  replayed_at: Timestamp.optional().meta({ description: "Time of the last replay" }),
  replay_outcome: z
    .string()
    .optional()
    .meta({ description: "Result of the last replay: replayed, already, or the reason why the replay failed" }),
});
export type DeadLetter = z.infer<typeof DeadLetter>;

/**
 * A failed item, as the component that gave up hands it over. A repeated failure has the same id: it is counted, not
 * kept twice.
 */
export const DeadLetterRecord = DeadLetter.omit({
  attempts: true,
  first_failed_at: true,
  last_failed_at: true,
  replayed_at: true,
  replay_outcome: true,
});
export type DeadLetterRecord = Readonly<z.infer<typeof DeadLetterRecord>>;
