import * as z from "zod";
import type { Author } from "../../core/access/author.ts";
import type { Maintenance, MaintenanceChange } from "../../core/introspection/api.ts";
import { NO_MAINTENANCE } from "../../core/introspection/maintenance.ts";
import type { ScannerKind } from "../../core/introspection/scanners/scanner.ts";
import type { ScannerSetting } from "../../core/introspection/scanners/scanner-runner.ts";
import { ObservationSettings } from "../../core/introspection/window/window-settings.ts";
import type { FieldError } from "../../core/problem/field-error.ts";
import { fieldErrors } from "../../core/problem/field-errors.ts";
import { formatTimestamp } from "../../core/signals/timestamp.ts";

export type SettingsChange<T> =
  | { readonly ok: true; readonly after: T }
  | { readonly ok: false; readonly errors: readonly FieldError[] };

const ScannerChange = z
  .strictObject({ enabled: z.boolean().optional(), settings: z.record(z.string(), z.unknown()).optional() })
  .refine(({ enabled, settings }) => enabled !== undefined || settings !== undefined, {
    message: "give enabled, settings, or both",
  });

/** Settings that are not named stay as they are. */
export function changeScanner(
  kind: ScannerKind,
  before: ScannerSetting,
  change: unknown,
): SettingsChange<ScannerSetting> {
  const asked = ScannerChange.safeParse(change);
  if (!asked.success) return { ok: false, errors: fieldErrors(asked.error.issues) };
  const settings = kind.settings.safeParse({ ...before.settings, ...asked.data.settings });
  if (!settings.success) return { ok: false, errors: fieldErrors(settings.error.issues, "/settings") };
  return { ok: true, after: { enabled: asked.data.enabled ?? before.enabled, settings: settings.data } };
}

export function changeSettings(before: ObservationSettings, change: unknown): SettingsChange<ObservationSettings> {
  const given = typeof change === "object" && change !== null && !Array.isArray(change) ? change : undefined;
  if (given === undefined) return { ok: false, errors: [{ pointer: "", message: "give an object of settings" }] };
  const settings = ObservationSettings.safeParse({ ...before, ...given });
  if (!settings.success) return { ok: false, errors: fieldErrors(settings.error.issues) };
  return { ok: true, after: settings.data };
}

/** Switching maintenance on again changes its reason and not its time. */
export function changeMaintenance(
  before: Maintenance,
  { enabled, reason }: MaintenanceChange,
  by: Author,
  nowMs: number,
): Maintenance {
  if (!enabled && !before.enabled) return before;
  if (!enabled) return { ...NO_MAINTENANCE, since: formatTimestamp(nowMs), by: by.name };
  const since = before.enabled ? before.since : formatTimestamp(nowMs);
  return { enabled, reason: reason ?? null, since, by: by.name };
}
