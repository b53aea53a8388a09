import type { HostSettings } from "../feature/feature.ts";

export interface CommandsFeatureOptions extends HostSettings {
  /** Time that a running command has for its answer when the agent stops, in milliseconds. */
  readonly stopMs?: number;
}
