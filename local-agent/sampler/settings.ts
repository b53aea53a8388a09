import * as z from "zod";
import { EnabledSetting, limitedNumber, PathSetting } from "../base/setting-schemas.ts";
import type { HostSettings } from "../feature/feature.ts";

/** Section `sampler` of the configuration. */
export const SamplerSettings = z.strictObject({
  enabled: EnabledSetting,
  seconds: limitedNumber(0.1, 3600, "give seconds between 0.1 and 3600").default(5),
  gpu_command: PathSetting.optional(),
});

export interface SamplerFeatureOptions extends HostSettings {
  readonly sampleSeconds: number;
  /** Command that reads the graphics cards; default `nvidia-smi`. */
  readonly gpuCommand?: string | undefined;
}
