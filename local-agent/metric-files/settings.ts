import * as z from "zod";
import { EnabledSetting, PathSetting } from "../base/setting-schemas.ts";
import type { HostSettings } from "../feature/feature.ts";
import { METRIC_FILES, type MetricFile } from "./records.ts";

/** Section `metrics` of the configuration. */
export const MetricFilesSettings = z.strictObject({
  enabled: EnabledSetting,
  directory: PathSetting.optional(),
  /** Files that lie elsewhere, or have another name: `{fitness_ledger.jsonl: /srv/lineage/fitness_ledger.jsonl}`. */
  files: z.partialRecord(z.enum(METRIC_FILES), PathSetting).default({}),
});

export interface MetricFilesFeatureOptions extends HostSettings {
  /** Directory into which older tools write their metric files. */
  readonly metricsDir: string;
  /** Absolute paths of files that do not lie there. */
  readonly metricFiles?: Readonly<Partial<Record<MetricFile, string>>> | undefined;
}
