import * as z from "zod";
import { Maintenance } from "../../core/introspection/api.ts";
import type { Introspection } from "../../core/introspection/introspection.ts";
import { NO_MAINTENANCE, Span } from "../../core/introspection/maintenance.ts";
import { ObservationSettings } from "../../core/introspection/window/window-settings.ts";
import { logLine } from "../shell/log-line.ts";
import type { SettingsStore } from "./settings-store.ts";

const StoredScanner = z.object({ enabled: z.boolean(), settings: z.record(z.string(), z.number()) });
const StoredMaintenance = z.object({ state: Maintenance, spans: z.array(Span).default([]) });
const NEVER_MAINTAINED = { state: NO_MAINTENANCE, spans: [] };
const StoredHealth = z.object({ failures: z.number(), lastError: z.string(), retryAtMs: z.number() });

/**
 * Restores the settings. A setting that this version cannot read, because another version wrote it, falls back to its
 * default: a renamed limit must not stop an ecosystem.
 */
export function restoreSettings(introspection: Introspection, store: SettingsStore, nowMs: number): void {
  const settings = ObservationSettings.safeParse(store.read("observations") ?? {});
  if (settings.success) introspection.set(settings.data, nowMs);
  else logLine("warn", "stored-settings-unreadable", { object: "observations", error: settings.error.message });

  const maintenance = StoredMaintenance.safeParse(store.read("maintenance") ?? NEVER_MAINTAINED);
  if (!maintenance.success)
    logLine("warn", "stored-maintenance-unreadable", { object: "observations", error: maintenance.error.message });
  const { state, spans } = maintenance.data ?? NEVER_MAINTAINED;
  introspection.setMaintenance(state, nowMs, spans);

  for (const { kind } of introspection.scanners.health) {
    const own = store.read(`scanner:${kind.id}`);
    if (own !== undefined) {
      const scanner = StoredScanner.safeParse(own);
      const parsed = kind.settings.safeParse(scanner.data?.settings);
      if (scanner.success && parsed.success)
        introspection.setScanner(kind.id, { enabled: scanner.data.enabled, settings: parsed.data });
      else logLine("warn", "stored-scanner-unreadable", { object: "observations", scanner: kind.id });
    }
    const health = StoredHealth.safeParse(store.read(`health:${kind.id}`));
    if (health.success) introspection.scanners.restoreHealth(kind.id, health.data);
  }
}
