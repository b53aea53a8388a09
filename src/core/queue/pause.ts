import * as z from "zod";
import { Timestamp } from "../signals/timestamp-schema.ts";

const MAX_REASON_CHARS = 500;

/** A queue that gives out no tasks: since when, by whom and why. */
export const QueuePause = z.object({
  since: Timestamp.meta({ description: "When the queue was paused" }),
  by: z.string().meta({ description: "Name of the token that paused the queue" }),
  reason: z.string().nullable().meta({ description: "Why, as whoever paused the queue said; null: nothing was said" }),
});
export type QueuePause = Readonly<z.infer<typeof QueuePause>>;

/** Body of the call that pauses a queue; it may be left out. */
export const PauseRequest = z.strictObject({
  reason: z.string().trim().min(1).max(MAX_REASON_CHARS).nullish().describe("Why, for people who meet the pause"),
});

/** The pause of a queue, after it was changed. */
export const PauseState = z.object({
  queue: z.string().meta({ description: "Name of the queue" }),
  paused: QueuePause.nullable().meta({ description: "null: the queue gives out tasks" }),
});
export type PauseState = Readonly<z.infer<typeof PauseState>>;

/** The frame that tells an end of the worker's channel of a pause, or that it is over. */
export function pauseFrame(pause: QueuePause | undefined): string {
  if (pause === undefined) return '{"type":"resumed"}';
  const { since, reason } = pause;
  return JSON.stringify({ type: "paused", since, ...(reason === null ? {} : { reason }) });
}
