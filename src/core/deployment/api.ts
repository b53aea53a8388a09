import * as z from "zod";
import { PolicyOverview } from "../policy/api.ts";
import { ProjectionStatus } from "../projection/api.ts";
import { NamedExcess } from "../quotas/excess.ts";
import { LogStatus } from "../signals/api.ts";
import { Timestamp } from "../signals/timestamp-schema.ts";
import { ExportHealth } from "../telemetry/api.ts";

/** An ecosystem at a glance. */
export const EcosystemStatus = z.object({
  ecosystem: z.string(),
  log: LogStatus,
  window: z.object({
    seconds: z.number(),
    size: z.int(),
    oldest: Timestamp.nullable(),
    newest: Timestamp.nullable(),
  }),
  gaps: z.object({ open: z.int() }),
  policies: PolicyOverview,
  over_quota: z.array(NamedExcess).readonly().meta({
    description: "Senders that took more than a fair share within the last hour, and what gave way for that",
  }),
  projections: z.record(z.string(), ProjectionStatus).meta({
    description: "How far each projection (`observations`, `policy`, `workers`) has followed the log",
  }),
  export: ExportHealth.optional().meta({
    description: "How the export of finished work goes; absent: nothing is exported",
  }),
  dead_letters: z.int().meta({ description: "Dead letters that wait to be replayed or discarded" }),
  dead_letters_per_1000: z
    .number()
    .nullable()
    .optional()
    .meta({ description: "Dead letters that wait, for 1,000 signals of the log; below 1 is good. null: no signals" }),
});
export type EcosystemStatus = Readonly<z.infer<typeof EcosystemStatus>>;

/** The edge can serve calls. */
export const Ready = z.object({ status: z.literal("ready") });
