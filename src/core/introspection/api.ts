import * as z from "zod";
import { Timestamp } from "../signals/timestamp-schema.ts";

/** Any JSON object; its fields belong to the reporter or to the scanner. */
const AnyObject = z.record(z.string(), z.unknown()).meta({ type: "object", additionalProperties: true });

/** One measurement of one reporter. */
export const Observation = z.object({
  ts: Timestamp.meta({ description: "Event time" }),
  zooid_name: z.string().meta({ description: "The reporter" }),
  niche: z.string().nullable(),
  ok: z.boolean(),
  ttr_ms: z.number().nullable().meta({ description: "Time to resolve, in milliseconds" }),
  incident_id: z.string().nullable(),
  facts: AnyObject,
});
export type Observation = Readonly<z.infer<typeof Observation>>;

/** The newest observations of a part of the window. */
export const ObservationsPage = z.object({
  observations: z.array(Observation).readonly(),
  window_seconds: z.number().meta({ description: "Length of the requested part of the window" }),
  size: z.int().meta({ description: "Observations in that part of the window, including those beyond `limit`" }),
  oldest: Timestamp.nullable(),
  newest: Timestamp.nullable(),
});
export type ObservationsPage = Readonly<z.infer<typeof ObservationsPage>>;

/** Summary of one metric during one step of time. */
export const HistoryPoint = z.object({
  ts: Timestamp.meta({ description: "Start of the step" }),
  count: z.int(),
  mean: z.number(),
  min: z.number(),
  max: z.number(),
  p50: z.number().meta({ description: "To within 1 %" }),
  p95: z.number().meta({ description: "To within 1 %" }),
});
export type HistoryPoint = Readonly<z.infer<typeof HistoryPoint>>;

/** A down-sampled series. */
export const HistoryPage = z.object({
  metric: z.string(),
  reporter: z.string().nullable().meta({ description: "null: all reporters together" }),
  step_seconds: z.number(),
  points: z.array(HistoryPoint).readonly().meta({ description: "Steps without a measurement are left out" }),
  reporters: z.array(z.string()).readonly().meta({ description: "Reporters that measured the metric in this time" }),
});
export type HistoryPage = Readonly<z.infer<typeof HistoryPage>>;

/** A capability gap: an open or resolved problem of the fleet, with its evidence. */
export const Gap = z.object({
  name: z.string().meta({ example: "cpu_bottleneck" }),
  category: z.string(),
  type: z.string(),
  reason: z.string(),
  alignment_score: z.number().meta({ description: "0 to 1: how far the measurement is beyond its threshold" }),
  install_cost: z.number().meta({ description: "0 to 1: how much work closing the gap is likely to be" }),
  metadata: AnyObject.meta({
    description: "The evidence: figures, threshold, sample count, reporters, range of sequence numbers",
  }),
  status: z.enum(["open", "resolved"]),
  raised_at: Timestamp,
  last_seen_at: Timestamp,
  resolved_at: Timestamp.optional(),
  fingerprint: z.string().meta({ description: "The same for every gap of this name and category, over time" }),
  reopened: z
    .int()
    .optional()
    .meta({ description: "How often the gap was found again soon after it was resolved; absent: never" }),
  calm_since: Timestamp.optional().meta({
    description: "No scanner has found the gap since then; when the calm time is over the gap is resolved",
  }),
  reminders: z.int().optional().meta({ description: "Number of reminders emitted" }),
  reminded_at: Timestamp.optional().meta({ description: "Time of the last reminder" }),
  signal_id: z.string().optional().meta({ description: "Id of the CAPABILITY_GAP that raised or reopened the gap" }),
});
export type Gap = Readonly<z.infer<typeof Gap>>;

export const Gaps = z.object({ gaps: z.array(Gap) });

/** Setting and health of a scanner. */
export const ScannerStatus = z.object({
  id: z.string(),
  category: z.string(),
  enabled: z.boolean(),
  settings: z.record(z.string(), z.union([z.number(), z.boolean(), z.string()])).readonly(),
  state: z.enum(["healthy", "failing", "quarantined"]),
  failures: z.int().meta({ description: "Failures in a row" }),
  last_error: z.string().optional(),
  evaluated_at: Timestamp.optional().meta({ description: "Time of the last evaluation" }),
  retry_at: Timestamp.optional().meta({ description: "When a quarantined scanner is evaluated again" }),
});
export type ScannerStatus = Readonly<z.infer<typeof ScannerStatus>>;

export const Scanners = z.object({ scanners: z.array(ScannerStatus) });

/** The settings as they are answered: every field is present. {@link ObservationSettings} reads them, with limits and defaults. */
export const ObservationSettingsView = z.object({
  window_seconds: z.int().meta({ description: "Length of the window, 10 to 3,600" }),
  window_capacity: z.int().meta({ description: "Observations in it at most, 100 to 200,000" }),
  flap_seconds: z.int().meta({ description: "A gap found again within this time after its end is reopened" }),
  calm_seconds: z
    .int()
    .meta({ description: "A reopened gap is resolved after this long without evidence; doubled each time" }),
  reminder_seconds: z.int().meta({ description: "An open gap is emitted again after each such interval; 0: never" }),
});
export type ObservationSettingsView = Readonly<z.infer<typeof ObservationSettingsView>>;

/** Maintenance of an ecosystem: scanners rest and no gap changes, while observations are still taken in. */
export const Maintenance = z.object({
  enabled: z.boolean(),
  reason: z.string().nullable(),
  since: Timestamp.nullable().meta({ description: "When maintenance was switched on or off last; null: never" }),
  by: z.string().nullable().meta({ description: "Name of the token that switched it" }),
});
export type Maintenance = Readonly<z.infer<typeof Maintenance>>;

export const MaintenanceChange = z.strictObject({
  enabled: z.boolean(),
  reason: z.string().max(1_000).nullish(),
});
export type MaintenanceChange = z.infer<typeof MaintenanceChange>;

/** What of the window may need somebody. */
export interface IntrospectionAttention {
  /** Open gaps. */
  readonly gaps: readonly Gap[];
  readonly scanners: readonly ScannerStatus[];
  /** Every signal up to here was taken in. */
  readonly cursor: number;
}
