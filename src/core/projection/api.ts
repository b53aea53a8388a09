import * as z from "zod";

/** How far a projection has followed the log. */
export const ProjectionPlace = z.object({
  cursor: z.int().meta({ description: "Every signal up to here has been taken in" }),
  foreign_messages: z.int().meta({
    description: "Messages of other deployments that came over the queue and were refused since the object woke",
  }),
});
export type ProjectionPlace = Readonly<z.infer<typeof ProjectionPlace>>;
