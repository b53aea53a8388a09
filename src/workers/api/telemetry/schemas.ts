import { Export, ExportTest } from "../../../core/telemetry/api.ts";
import { named } from "../http/schema-parts.ts";

export const ExportSchema = named("TelemetryExport", Export);
export const ExportTestSchema = named("TelemetryExportTest", ExportTest);
