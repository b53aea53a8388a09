import * as z from "zod";
import { CONTENT_SETTINGS } from "../../src/core/agent-sessions/record.ts";
import type { HostSettings } from "../feature/feature.ts";

const PORT = "give a port between 1 and 65535, or 0 for any free one";

/** Section `sessions` of the configuration: where programs of this host send telemetry and hooks, on the loopback address alone. */
export const SessionsSection = z.strictObject({
  port: z.int(PORT).min(0, PORT).max(65_535, PORT).default(4318),
  /** `all`: the beginnings of prompts and of what tools are given are kept. */
  content: z.enum(CONTENT_SETTINGS, "give none or all").default("none"),
});
export type SessionsSection = z.output<typeof SessionsSection>;

export interface SessionsFeatureOptions extends HostSettings {
  readonly sessions?: SessionsSection | undefined;
}
