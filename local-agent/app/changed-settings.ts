import { isDeepStrictEqual } from "node:util";
import type { AgentSettings } from "../config/settings.ts";
import type { Feature, HostSettings } from "../feature/feature.ts";
import type { AgentOptions } from "./agent-options.ts";

/** Names of the settings that differ. Functions are skipped: they read secrets, and are new each time. */
export function changedNames(before: AgentOptions, after: AgentSettings): string[] {
  const old: Readonly<Record<string, unknown>> = { ...before };
  const fresh: Readonly<Record<string, unknown>> = { ...after };
  return Object.keys(fresh).filter(
    (name) => name !== "logger" && typeof fresh[name] !== "function" && !isDeepStrictEqual(old[name], fresh[name]),
  );
}

/** `options` with the named settings of `settings`. */
export function withSettings(options: AgentOptions, settings: AgentSettings, names: Iterable<string>): AgentOptions {
  const values: Readonly<Record<string, unknown>> = { ...settings };
  return { ...options, ...Object.fromEntries([...names].map((name) => [name, values[name]])) };
}

/** Those of the changed settings that the feature reloads or restarts on. */
export function concernedNames(
  { reloadOn = [], restartOn = [] }: Feature<AgentOptions>,
  changed: readonly string[],
): string[] {
  const all: readonly string[] = [...reloadOn, ...restartOn];
  return changed.filter((name) => all.includes(name));
}

/** Whether a change of `sources` switches this feature on or off, which is all that a restarting feature reacts to. */
export function isSwitched(
  { name }: Pick<Feature<AgentOptions>, "name">,
  before: HostSettings,
  after: HostSettings,
): boolean {
  return before.sources.includes(name) !== after.sources.includes(name);
}
