import * as z from "zod";
import { PathSetting } from "../base/setting-schemas.ts";
import type { HostSettings } from "../feature/feature.ts";

/** Section `maintenance` of the configuration. Without it, no file of this host switches maintenance. */
export const MaintenanceSection = z.strictObject({
  /** While this file is there, the ecosystem is in maintenance; older systems name it `maintenance_mode`. */
  file: PathSetting,
});
export type MaintenanceSection = z.output<typeof MaintenanceSection>;

export interface MaintenanceFeatureOptions extends HostSettings {
  readonly maintenance?: MaintenanceSection | undefined;
}
