import * as z from "zod";
import { EnabledSetting, PathSetting } from "../base/setting-schemas.ts";
import type { HostSettings } from "../feature/feature.ts";

/** Section `metrics` of the configuration. */
export const MetricFilesSettings = z.strictObject({ enabled: EnabledSetting, directory: PathSetting.optional() });

export interface MetricFilesFeatureOptions extends HostSettings {
  /** Directory into which older tools write their metric files. */
  readonly metricsDir: string;
}
