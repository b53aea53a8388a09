import { z } from "@hono/zod-openapi";
import {
  Gap,
  HistoryPage,
  Maintenance,
  Observation,
  ObservationsPage,
  ScannerStatus,
} from "../../../core/introspection/api.ts";
import type { ObservationSettings } from "../../../core/introspection/window/window-settings.ts";
import { describes, named } from "../http/schema-parts.ts";

const ObservationSchema = named("Observation", Observation);
export const ObservationsPageSchema = named(
  "ObservationsPage",
  ObservationsPage.extend({ observations: z.array(ObservationSchema).readonly() }),
);
export const HistoryPageSchema = named("HistoryPage", HistoryPage);

const GapSchema = named("Gap", Gap);
export const GapsSchema = z.object({ gaps: z.array(GapSchema) }).openapi("Gaps");

export const ScannerSchema = named("Scanner", ScannerStatus);
export const ScannersSchema = z.object({ scanners: z.array(ScannerSchema) }).openapi("Scanners");

// The settings as they are answered: every field is present. The schema in src/core reads them, with limits and defaults.
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

export const MaintenanceSchema = named("Maintenance", Maintenance);

describes<ObservationSettings>()(ObservationSettingsSchema);
