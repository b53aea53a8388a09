import * as z from "zod";
import { ObjectSize } from "../billing/heap-budget.ts";
import { Timestamp } from "../signals/timestamp-schema.ts";

/** How far a projection has followed the log. */
export const ProjectionPlace = z.object({
  cursor: z.int().meta({ description: "Every signal up to here has been taken in" }),
  foreign_messages: z.int().meta({
    description: "Messages of other deployments that came over the queue and were refused since the object woke",
  }),
  ...ObjectSize.shape,
});
export type ProjectionPlace = Readonly<z.infer<typeof ProjectionPlace>>;

/** The same in an ecosystem's status, with what the log knows of it. */
export const ProjectionStatus = ProjectionPlace.extend({
  lag: z.int().meta({
    description:
      "Sequence numbers from the cursor to the last signal that the queue was sent for it; 0: none is missing",
  }),
  oldest_undelivered_at: Timestamp.nullable().meta({
    description:
      "When the log received the oldest signal that concerns it and that it has not taken in; null: there is none",
  }),
});
export type ProjectionStatus = Readonly<z.infer<typeof ProjectionStatus>>;
