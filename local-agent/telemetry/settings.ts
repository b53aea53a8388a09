import * as z from "zod";
import type { HostSettings } from "../feature/feature.ts";

const PORT = "give a port between 1 and 65535, 0 for any free one, or null for none";

/** Where the agent shows its metrics and its health, on the loopback address alone. */
export const ObservabilitySettings = z.strictObject({
  port: z.int(PORT).min(0, PORT).max(65_535, PORT).nullable().default(null),
});
export type ObservabilitySettings = z.output<typeof ObservabilitySettings>;

export interface TelemetryFeatureOptions extends HostSettings {
  readonly observability?: ObservabilitySettings | undefined;
}
