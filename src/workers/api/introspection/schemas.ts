import { z } from "@hono/zod-openapi";
import type { Gap } from "../../../core/introspection/gaps/gap.ts";
import type { HistoryPage } from "../../../core/introspection/history/query.ts";
import type { Maintenance } from "../../../core/introspection/maintenance.ts";
import type { ScannerStatus } from "../../../core/introspection/scanners/scanner-status.ts";
import type { Observation } from "../../../core/introspection/window/observation.ts";
import type { ObservationSettings } from "../../../core/introspection/window/window-settings.ts";
import { describes, facts, time } from "../http/schema-parts.ts";

export const ObservationSchema = z
  .object({
    ts: time,
    zooid_name: z.string().openapi({ description: "The reporter" }),
    niche: z.string().nullable(),
    ok: z.boolean(),
    ttr_ms: z.number().nullable().openapi({ description: "Time to resolve, in milliseconds" }),
    incident_id: z.string().nullable(),
    facts,
  })
  .openapi("Observation");

export const ObservationsPageSchema = z
  .object({
    observations: z.array(ObservationSchema).readonly(),
    window_seconds: z.number(),
    size: z.int().openapi({ description: "Observations in the window, including those beyond `limit`" }),
    oldest: time.nullable(),
    newest: time.nullable(),
  })
  .openapi("ObservationsPage");

export const HistoryPageSchema = z
  .object({
    metric: z.string(),
    reporter: z.string().nullable(),
    step_seconds: z.number(),
    points: z
      .array(
        z.object({
          ts: time.openapi({ description: "Start of the step" }),
          count: z.int(),
          mean: z.number(),
          min: z.number(),
          max: z.number(),
          p50: z.number().openapi({ description: "To within 1 %" }),
          p95: z.number().openapi({ description: "To within 1 %" }),
        }),
      )
      .readonly(),
    reporters: z
      .array(z.string())
      .readonly()
      .openapi({ description: "Reporters that measured the metric in this time" }),
  })
  .openapi("HistoryPage");

export const GapSchema = z
  .object({
    name: z.string().openapi({ example: "cpu_bottleneck" }),
    category: z.string(),
    type: z.string(),
    reason: z.string(),
    alignment_score: z.number(),
    install_cost: z.number(),
    metadata: facts,
    status: z.enum(["open", "resolved"]),
    raised_at: time,
    last_seen_at: time,
    resolved_at: time.optional(),
    fingerprint: z.string().openapi({ description: "The same for every gap of this name and category" }),
    reopened: z
      .int()
      .optional()
      .openapi({ description: "How often the gap was found again soon after it was resolved" }),
    calm_since: time.optional().openapi({ description: "No scanner has found the gap since then" }),
    reminders: z.int().optional(),
    reminded_at: time.optional(),
    signal_id: z.string().optional().openapi({ description: "Id of the CAPABILITY_GAP that raised the gap" }),
  })
  .openapi("Gap");
export const GapsSchema = z.object({ gaps: z.array(GapSchema) }).openapi("Gaps");

export const ScannerSchema = z
  .object({
    id: z.string(),
    category: z.string(),
    enabled: z.boolean(),
    settings: z.record(z.string(), z.union([z.number(), z.boolean(), z.string()])),
    state: z.enum(["healthy", "failing", "quarantined"]),
    failures: z.int().openapi({ description: "In a row" }),
    last_error: z.string().optional(),
    evaluated_at: time.optional(),
    retry_at: time.optional().openapi({ description: "When a quarantined scanner is evaluated again" }),
  })
  .openapi("Scanner");
export const ScannersSchema = z.object({ scanners: z.array(ScannerSchema) }).openapi("Scanners");

export const ObservationSettingsSchema = z
  .object({
    window_seconds: z.int().openapi({ description: "Length of the window, 10 to 3,600" }),
    window_capacity: z.int().openapi({ description: "Observations in it at most, 100 to 200,000" }),
    flap_seconds: z.int().openapi({ description: "A gap found again within this time after its end is reopened" }),
    calm_seconds: z
      .int()
      .openapi({ description: "A reopened gap is resolved after this long without evidence; doubled each time" }),
    reminder_seconds: z
      .int()
      .openapi({ description: "An open gap is emitted again after each such interval; 0: never" }),
  })
  .openapi("ObservationSettings");

export const MaintenanceSchema = z
  .object({
    enabled: z.boolean(),
    reason: z.string().nullable(),
    since: time.nullable().openapi({ description: "When maintenance was switched on or off last" }),
    by: z.string().nullable().openapi({ description: "Name of the token that switched it" }),
  })
  .openapi("Maintenance");

describes<Observation>()(ObservationSchema);
describes<HistoryPage>()(HistoryPageSchema);
describes<Gap>()(GapSchema);
describes<ScannerStatus>()(ScannerSchema);
describes<ObservationSettings>()(ObservationSettingsSchema);
describes<Maintenance>()(MaintenanceSchema);
