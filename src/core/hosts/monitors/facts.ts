import * as z from "zod";
import { ModuleDiscoveredFacts, PromotionsDetectedFacts } from "../../signals/known-signals.ts";
import { LIMITS } from "../../signals/limits.ts";

/** Answers of hosts to the edge: facts by the name of the monitor, checked at arrival. */

/** The answer of a monitor that failed. */
const Failure = z.object({ error: z.string() });

/** Parts of a monitor that could not be measured, beside the facts of the others. Older agents do not send them. */
const FailedParts = z
  .array(z.object({ part: z.string().max(512), reason: z.string().max(512) }))
  .max(256)
  .optional();

/** Only known fields, with limits on their size: they become facts of a signal. */
export const PromotionFacts = z.object({
  ...PromotionsDetectedFacts.shape,
  unacknowledged_count: z.int().nonnegative(),
  last_dream_time: z.union([z.string().max(64), z.number()]).nullish(),
  promotions_path: z.string().max(4_096).optional(),
  promotion_files: z.array(z.string().max(256)).max(100).optional(),
  /** Arrivals since the agent's `run` began, and a hash of the waiting promotions. Older agents do not send it. */
  arrivals: z.object({ run: z.string().max(64), count: z.int().nonnegative(), waiting: z.string().max(64) }).optional(),
  failed: FailedParts,
});
export type PromotionFacts = z.infer<typeof PromotionFacts>;

export const ModuleFacts = z.object({
  ...ModuleDiscoveredFacts.shape,
  module_name: z.string().min(1).max(512),
  module_path: z.string().max(4_096),
  investigation_id: z.string().max(256).optional(),
});
export type ModuleFacts = z.infer<typeof ModuleFacts>;

/** Modules found after the position in the investigation log that the edge gave. */
export const InvestigationFacts = z.object({
  /** Each is checked by itself: one unreadable module must not block those after it for ever. */
  modules: z.array(z.unknown()).max(LIMITS.batchSignals),
  /** Where the next round continues, in a form of the monitor. The edge gives it back once this answer is stored. */
  cursor: z.string().max(1_024),
  failed: FailedParts,
});

/** Modules that were added to the host's list of them since the cursor that the edge gave. */
const CapabilityFacts = InvestigationFacts.extend({ cursor: z.string().max(8_192) });

const HealthReading = z.object({
  /** Kind of the reading. Unknown kinds are shown and never cause an alert. */
  kind: z.string().min(1).max(64),
  /** Tells several of a kind apart: a path, the number of a card. */
  instance: z.string().max(256).optional(),
  value: z.number(),
});
export type HealthReading = z.infer<typeof HealthReading>;
export const HealthFacts = z.object({ readings: z.array(HealthReading).max(256), failed: FailedParts });
export type HealthFacts = z.infer<typeof HealthFacts>;

export const MONITORS = ["promotions", "investigations", "capabilities", "health"] as const;
export type MonitorName = (typeof MONITORS)[number];

const schemas = {
  promotions: PromotionFacts,
  investigations: InvestigationFacts,
  capabilities: CapabilityFacts,
  health: HealthFacts,
} as const satisfies Record<MonitorName, z.ZodType>;

type Facts = { [Name in MonitorName]: z.infer<(typeof schemas)[Name]> };

/** The answer of a host by monitor. A monitor that the host does not run is absent. */
export interface HostAnswer {
  readonly facts: Partial<Facts>;
  /** Monitors that failed on the host, wholly or in parts, or whose facts are invalid, with the reason. */
  readonly failures: Readonly<Record<string, string>>;
  /** Sources, processes and workers of the host, where the answer holds them. */
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
    if (parsed.success) {
      facts[name] = parsed.data;
      const failed = parsed.data.failed?.map(({ part, reason }) => `${part}: ${reason}`) ?? [];
      if (failed.length > 0) failures[name] = failed.join("; ").slice(0, 500);
    } else failures[name] = (failure.success ? failure.data.error : z.prettifyError(parsed.error)).slice(0, 500);
  }
  const { status } = answer;
  const isObject = typeof status === "object" && status !== null && !Array.isArray(status);
  return {
    facts: facts as Partial<Facts>,
    failures,
    ...(isObject ? { status: status as Record<string, unknown> } : {}),
  };
}
