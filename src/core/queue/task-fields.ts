import * as z from "zod";
import { Timestamp } from "../signals/timestamp-schema.ts";
import { NeedsView } from "./needs-view.ts";

/** Fields of a task that several answers have. */
export const CauseFields = {
  cause: z.string().optional().meta({ description: "Id of the signal that led to the task" }),
  trace: z.string().optional().meta({ description: "W3C traceparent" }),
  depth: z.int().optional().meta({ description: "Length of the chain of causes above the task" }),
};

export const NeedFields = {
  needs: NeedsView,
  limits: z
    .array(z.string())
    .optional()
    .meta({ description: "Limits of the ecosystem: while one of them is closed, the task is parked" }),
};

export const ParkedFields = {
  parked_until: Timestamp.optional().meta({ description: "A limit that the task names is closed until then" }),
  parked_reason: z.string().optional().meta({ description: "Why it is parked" }),
};
