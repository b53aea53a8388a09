import { type HostAnswer, ModuleFacts } from "./facts.ts";
import { type HealthState, judgeHealth } from "./health-tracker.ts";
import type { MonitorSettings } from "./monitor-settings.ts";
import { type DreamsSeen, judgePromotions, type PromotionsReported } from "./promotions-reported.ts";

/** What is remembered of a host between two answers. It changes only when something about the host does. */
export interface Watched {
  readonly health: Readonly<Record<string, HealthState>>;
  readonly promotions?: PromotionsReported;
  /** How far the host's investigation log has been taken in. */
  readonly investigations?: string;
  /** Monitors that failed at the last look, and why. */
  readonly failures: Readonly<Record<string, string>>;
}

export interface News {
  readonly signal: string;
  readonly facts: Readonly<Record<string, unknown>>;
}

export const NOTHING_WATCHED: Watched = { health: {}, failures: {} };

const HOUR_MS = 3_600_000;

/**
 * Compares what a host says with what was known of it.
 *
 * @param dreams - what the log says of dreams, read after the host has answered
 * @param isNew - whether a module, by its key, has not been told of before
 * @returns what to remember, and what to tell: to be kept together, so that nothing is told twice or never
 */
export function watchHost(
  host: string,
  before: Watched,
  { facts, failures }: HostAnswer,
  settings: MonitorSettings,
  dreams: DreamsSeen,
  isNew: (moduleKey: string) => boolean,
  nowMs: number,
): { after: Watched; news: News[] } {
  const news: News[] = [];
  const after: { -readonly [Field in keyof Watched]: Watched[Field] } = { ...before, failures };
  if (facts.promotions !== undefined) {
    const remindMs = settings.promotions_remind_hours === null ? null : settings.promotions_remind_hours * HOUR_MS;
    const judged = judgePromotions(before.promotions, facts.promotions, dreams, remindMs, nowMs);
    after.promotions = judged.after;
    const { arrivals: _, ...promotions } = facts.promotions;
    if (judged.news) news.push({ signal: "Q_PROMOTIONS_DETECTED", facts: { ...promotions, host } });
  }
  if (facts.investigations !== undefined) {
    const unreadable: string[] = [];
    for (const found of facts.investigations.modules) {
      const module = ModuleFacts.safeParse(found);
      if (!module.success) unreadable.push(module.error.issues[0]?.message ?? "not a module");
      else if (isNew(moduleKey(host, module.data)))
        news.push({ signal: "Q_MODULE_DISCOVERED", facts: { ...module.data, host } });
    }
    after.investigations = facts.investigations.cursor;
    if (unreadable.length > 0)
      after.failures = {
        ...failures,
        investigations: `${unreadable.length} modules could not be read: ${unreadable[0]}`,
      };
  }
  if (facts.health !== undefined) {
    const { health, health_readings } = settings;
    const judged = judgeHealth(before.health, facts.health.readings, health, health_readings, nowMs);
    after.health = judged.after;
    for (const { sinceMs, ...change } of judged.changes)
      news.push({ signal: "Q_HEALTH_ALERT", facts: { host, ...change, since: new Date(sinceMs).toISOString() } });
  }
  return { after, news };
}

/** A module is told of once for each investigation that found it. */
const moduleKey = (host: string, { module_name, module_path, investigation_id }: ModuleFacts) =>
  JSON.stringify([host, module_path === "" ? module_name : module_path, investigation_id ?? null]);
