import type { Writable } from "../../collections/writable.ts";
import { type HostAnswer, ModuleFacts } from "./facts.ts";
import { type HealthState, updateHealth } from "./health-tracker.ts";
import type { MonitorSettings } from "./monitor-settings.ts";
import { type DreamsSeen, type PromotionsReported, updatePromotions } from "./promotions-reported.ts";

/** What the monitors found on a host so far, as it is stored. It changes only when the host does. */
export interface MonitoredHost {
  readonly health: Readonly<Record<string, HealthState>>;
  readonly promotions?: PromotionsReported;
  /** Position up to which the investigation log of the host was read. */
  readonly investigations?: string;
  /** The modules that its list had, in a form of the monitor. */
  readonly capabilities?: string;
  /** Monitors that failed in the last round, with the reason. */
  readonly failures: Readonly<Record<string, string>>;
}

export interface MonitorSignal {
  readonly signal: string;
  readonly facts: Readonly<Record<string, unknown>>;
}

export const NOT_MONITORED: MonitoredHost = { health: {}, failures: {} };

const HOUR_MS = 3_600_000;

/**
 * Compares the answer of a host with its former state.
 *
 * @param dreams - dreams that the log shows, read after the host has answered
 * @param isNew - returns whether a module, by its key, has not been reported before
 * @returns the new state and the signals to emit. Both must be stored together, or a crash could lose a signal or emit
 * it twice.
 */
export function watchHost(
  host: string,
  before: MonitoredHost,
  { facts, failures }: HostAnswer,
  settings: MonitorSettings,
  dreams: DreamsSeen,
  isNew: (moduleKey: string) => boolean,
  nowMs: number,
): { after: MonitoredHost; signals: MonitorSignal[] } {
  const signals: MonitorSignal[] = [];
  const after: Writable<MonitoredHost> = { ...before, failures };
  if (facts.promotions !== undefined) {
    const remindMs = settings.promotions_remind_hours === null ? null : settings.promotions_remind_hours * HOUR_MS;
    const judged = updatePromotions(before.promotions, facts.promotions, dreams, remindMs, nowMs);
    after.promotions = judged.after;
    const { arrivals: _arrivals, failed: _failed, ...promotions } = facts.promotions;
    if (judged.report) signals.push({ signal: "Q_PROMOTIONS_DETECTED", facts: { ...promotions, host } });
  }
  // Investigations first: what one has found is listed afterwards, and is not found again there.
  for (const monitor of ["investigations", "capabilities"] as const) {
    const found = facts[monitor];
    if (found === undefined) continue;
    const unreadable: string[] = [];
    for (const one of found.modules) {
      const module = ModuleFacts.safeParse(one);
      if (!module.success) {
        unreadable.push(module.error.issues[0]?.message ?? "not a module");
        continue;
      }
      const isListed = !isNew(listedKey(host, module.data));
      if (monitor === "capabilities" ? !isListed : isNew(moduleKey(host, module.data)))
        signals.push({ signal: "Q_MODULE_DISCOVERED", facts: { ...module.data, host } });
    }
    after[monitor] = found.cursor;
    if (unreadable.length > 0)
      after.failures = {
        ...after.failures,
        [monitor]: `${unreadable.length} modules could not be read: ${unreadable[0]}`,
      };
  }
  if (facts.health !== undefined) {
    const { health, health_readings } = settings;
    const { readings, failed = [] } = facts.health;
    const unmeasured = new Set(failed.map(({ part }) => part));
    const judged = updateHealth(before.health, readings, health, health_readings, nowMs, unmeasured);
    after.health = judged.after;
    for (const { sinceMs, ...change } of judged.changes)
      signals.push({ signal: "Q_HEALTH_ALERT", facts: { host, ...change, since: new Date(sinceMs).toISOString() } });
  }
  return { after, signals };
}

/** A module that was found, or is on the list of modules, by its name: it is not found on the list again. */
const listedKey = (host: string, { module_name }: ModuleFacts) => JSON.stringify(["listed", host, module_name]);

/** A module is reported once for each investigation that found it. */
const moduleKey = (host: string, { module_name, module_path, investigation_id }: ModuleFacts) =>
  JSON.stringify([host, module_path === "" ? module_name : module_path, investigation_id ?? null]);
