import * as z from "zod";
import { ModuleDiscoveredFacts, PromotionsDetectedFacts } from "../../signals/known-signals.ts";
import { LIMITS } from "../../signals/limits.ts";

/** What hosts answer when the edge asks (R22): facts by the name of the monitor, checked when they come in. */

/** A monitor that could not look. */
const Failure = z.object({ error: z.string() });

/** Named fields only, and bounded: they go into a signal. */
export const PromotionFacts = z.object({
  ...PromotionsDetectedFacts.shape,
  unacknowledged_count: z.int().nonnegative(),
  last_dream_time: z.union([z.string().max(64), z.number()]).nullish(),
  promotions_path: z.string().max(4_096).optional(),
  /** Those that began to wait since the agent's `run` began, and a hash of those that wait. Older agents do not say. */
  arrivals: z.object({ run: z.string().max(64), count: z.int().nonnegative(), waiting: z.string().max(64) }).optional(),
});
export type PromotionFacts = z.infer<typeof PromotionFacts>;

export const ModuleFacts = z.object({
  ...ModuleDiscoveredFacts.shape,
  module_name: z.string().min(1).max(512),
  module_path: z.string().max(4_096),
  investigation_id: z.string().max(256).optional(),
});
export type ModuleFacts = z.infer<typeof ModuleFacts>;

/** Modules found since the place in the log that the edge had named. */
export const InvestigationFacts = z.object({
  /** Looked at one by one: one that cannot be read must not hold up those behind it for ever. */
  modules: z.array(z.unknown()).max(LIMITS.batchSignals),
  /** Where to go on, in the monitor's own terms; asked with again once this answer is kept. */
  cursor: z.string().max(1_024),
});

const HealthReading = z.object({
  /** What is measured; unknown kinds are shown and never alerted. */
  kind: z.string().min(1).max(64),
  /** Which of several: a path, the number of a card. */
  instance: z.string().max(256).optional(),
  value: z.number(),
});
export type HealthReading = z.infer<typeof HealthReading>;
export const HealthFacts = z.object({ readings: z.array(HealthReading).max(256) });

export const MONITORS = ["promotions", "investigations", "health"] as const;
export type MonitorName = (typeof MONITORS)[number];

const schemas = {
  promotions: PromotionFacts,
  investigations: InvestigationFacts,
  health: HealthFacts,
} as const satisfies Record<MonitorName, z.ZodType>;

type Facts = { [Name in MonitorName]: z.infer<(typeof schemas)[Name]> };

/** What a host said, monitor by monitor; one that it does not run is missing. */
export interface HostAnswer {
  readonly facts: Partial<Facts>;
  /** Monitors that failed there, or whose facts cannot be read, and why. */
  readonly failures: Readonly<Record<string, string>>;
  /** What the host runs, where it said so. */
  readonly status?: Readonly<Record<string, unknown>>;
}

export function readAnswer(sent: unknown): HostAnswer {
  const answer = z.record(z.string(), z.unknown()).safeParse(sent).data ?? {};
  const facts: Partial<Record<MonitorName, unknown>> = {};
  const failures: Record<string, string> = {};
  for (const name of MONITORS) {
    const given = answer[name];
    if (given === undefined) continue;
    const failure = Failure.safeParse(given);
    const parsed = schemas[name].safeParse(given);
    if (parsed.success) facts[name] = parsed.data;
    else failures[name] = (failure.success ? failure.data.error : z.prettifyError(parsed.error)).slice(0, 500);
  }
  const { status } = answer;
  const isObject = typeof status === "object" && status !== null && !Array.isArray(status);
  return {
    facts: facts as Partial<Facts>,
    failures,
    ...(isObject ? { status: status as Record<string, unknown> } : {}),
  };
}
