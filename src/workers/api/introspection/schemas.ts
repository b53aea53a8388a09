import {
  Gap,
  Gaps,
  HistoryPage,
  Maintenance,
  Observation,
  ObservationSettingsView,
  ObservationsPage,
  ScannerStatus,
  Scanners,
} from "../../../core/introspection/api.ts";
import { GapEvidence } from "../../../core/introspection/gaps/gap-evidence.ts";
import type { ObservationSettings } from "../../../core/introspection/window/window-settings.ts";
import { describes, named } from "../http/schema-parts.ts";

const ObservationSchema = named("Observation", Observation);
export const ObservationsPageSchema = named(
  "ObservationsPage",
  ObservationsPage.extend({ observations: ObservationSchema.array().readonly() }),
);
export const HistoryPageSchema = named("HistoryPage", HistoryPage);

export const GapSchema = named("Gap", Gap);
export const GapsSchema = named("Gaps", Gaps.extend({ gaps: GapSchema.array() }));
export const GapEvidenceSchema = named("GapEvidence", GapEvidence.extend({ gap: GapSchema }));

export const ScannerSchema = named("Scanner", ScannerStatus);
export const ScannersSchema = named("Scanners", Scanners.extend({ scanners: ScannerSchema.array() }));

export const ObservationSettingsSchema = named("ObservationSettings", ObservationSettingsView);

export const MaintenanceSchema = named("Maintenance", Maintenance);

describes<ObservationSettings>()(ObservationSettingsSchema);
