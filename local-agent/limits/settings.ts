import * as z from "zod";
import type { HostSettings } from "../feature/feature.ts";

/** Section `limits`: whether this host holds shares of limits for its processes. */
export const LimitsSection = z.strictObject({ share: z.boolean("give true or false").default(true) });

export interface LimitsFeatureOptions extends HostSettings {
  readonly limits?: z.output<typeof LimitsSection> | undefined;
}
