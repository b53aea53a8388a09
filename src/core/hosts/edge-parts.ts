import * as z from "zod";
import { Timestamp } from "../signals/timestamp-schema.ts";
import { EDGE_PARTS } from "./edge-vitals.ts";

/** The command of a host that answers with what it notices of its edge. */
export const EDGE_COMMAND = "edge.status";

/** How a part of the edge is, as a host notices it. */
const EdgePartView = z.object({
  part: z.enum(EDGE_PARTS),
  state: z.enum(["alive", "silent"]),
  since: Timestamp.optional(),
  reason: z.string().optional(),
});
export type EdgePartView = Readonly<z.infer<typeof EdgePartView>>;

export const EdgePartsView = z.object({ parts: z.array(EdgePartView) });
