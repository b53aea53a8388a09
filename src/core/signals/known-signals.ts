import * as z from "zod";
import { BudgetFacts, LimitFacts } from "./limit-facts.ts";
import { PermissionFacts, QuestionFacts } from "./question-facts.ts";

/**
 * Schemas of the facts of every known signal, which include all signals that Ganglion emits; docs/signals.md describes each.
 * Hosts read these names, so they do not change. Facts may carry further fields; a signal that is not listed may have any
 * object as its facts.
 */

const count = z.number().int().nonnegative();
const text = z.string().min(1);
const score = z.number().min(0).max(1);

export const PRIORITIES = ["low", "normal", "high", "critical"] as const;
export const Priority = z.enum(PRIORITIES);
export type Priority = z.infer<typeof Priority>;

/** One measurement of one reporter. `zooid` (or its older spelling `zooid_name`) names the reporter. */
export const ObservationFacts = z
  .looseObject({
    zooid: text.optional(),
    zooid_name: text.optional(),
    ok: z.boolean().optional(),
    /** Time to resolve, in milliseconds. */
    ttr_ms: z.number().nonnegative().nullish(),
    incident_id: z.string().nullish(),
    niche: z.string().nullish(),
  })
  .refine((facts) => facts.zooid !== undefined || facts.zooid_name !== undefined, {
    path: ["zooid"],
    message: "an observation names its reporter: give zooid (or zooid_name)",
  });
export type ObservationFacts = z.infer<typeof ObservationFacts>;

export const CapabilityGapFacts = z.looseObject({
  gap_type: text,
  gap_name: text,
  gap_category: text,
  gap_reason: z.string(),
  alignment_score: score,
  install_cost: score,
  metadata: z.record(z.string(), z.unknown()),
});
export type CapabilityGapFacts = z.infer<typeof CapabilityGapFacts>;

export const PromotionsDetectedFacts = z.looseObject({
  promotion_count: count,
  unacknowledged_count: count.optional(),
  oldest_promotion_age_hours: z.number().nonnegative().nullish(),
  newest_promotion_age_hours: z.number().nonnegative().nullish(),
  promotion_files: z.array(z.string()).optional(),
  last_dream_time: z.union([z.string(), z.number()]).nullish(),
  promotions_path: z.string().optional(),
});

export const ModuleDiscoveredFacts = z.looseObject({
  module_name: text,
  module_path: z.string(),
  investigation_id: z.string().optional(),
  py_files_count: count.optional(),
  has_init: z.boolean().optional(),
});

export const DreamTriggerFacts = z.looseObject({
  reason: z.string(),
  topic: z.string().nullable(),
  promotion_count: count,
});

export const CuriosityInvestigateFacts = z.looseObject({
  question: text,
  question_id: text,
  priority: Priority.optional(),
  evidence: z.array(z.string()).optional(),
});
export type CuriosityInvestigateFacts = z.infer<typeof CuriosityInvestigateFacts>;

/** A host came up or went down. */
export const AgentFacts = z.looseObject({
  host: text,
  /** When the host came into this state. */
  since: z.string(),
  reason: z.string(),
  /** When the edge last received anything from the host before that. */
  last_seen: z.string().nullable(),
});

/** About an agent that a host supervises. `reason` is text for people, except in `Q_PROCESS_HUNG`. */
const ProcessFacts = z.looseObject({ host: text, agent: text, reason: text });

/** About a session of an agent that reports by telemetry or hooks. */
const SessionFacts = z.looseObject({
  session: text.meta({ description: "The program's own id of the session" }),
  agent: text.meta({ description: "Name of the program, such as claude-code" }),
});

const percent = (what: string) =>
  z
    .number()
    .min(0)
    .max(100)
    .meta({ description: `${what}, in percent` });

/** By which share askers decide from now on. */
const RolloutFacts = {
  rollout: text.meta({ description: "What is rolled out" }),
  share: percent("Share of the keys that asks live hosts"),
  version: count,
  share_before: percent("The share before"),
} as const;

/** A limit of a schedule: `state` is `raised` or `resolved`. */
const ScheduleFacts = z.looseObject({
  schedule: text.meta({ description: "Name of the schedule" }),
  state: z.enum(["raised", "resolved"]).meta({ description: "resolved: the limit is kept again" }),
  since: z.string(),
});

const NoteFacts = z.looseObject({
  key: text.meta({ description: "Key of the note" }),
  change: z.enum(["set", "deleted", "expired"]).meta({ description: "expired: its time was over" }),
  version: count.meta({ description: "Of this change" }),
  before: count.nullable().meta({ description: "The version before; null: there was no note" }),
  by: z.string().nullable().meta({ description: "Name of the token; null: its time was over" }),
  about: z.enum(["task", "agent", "ecosystem"]).meta({ description: "What the note is about, by its key" }),
});

/** A lock, and who has it. */
const LockFacts = z.looseObject({
  lock: text.meta({ description: "Name of the lock" }),
  owner: text.meta({ description: "Who had it, has it, or asked for it" }),
});

/** Any object: the signal is known by its name, and its sender chooses the facts. */
const anyFacts = z.record(z.string(), z.unknown());

export type SignalKind = "advisory" | "trigger" | "completion" | "error" | "observation" | "gap";

interface KnownSignal {
  readonly kind: SignalKind;
  readonly facts: z.ZodType;
  /** The name is reserved: Ganglion does not act on the signal yet. */
  readonly reserved?: true;
}

export const KNOWN_SIGNALS = {
  OBSERVATION: { kind: "observation", facts: ObservationFacts },
  CAPABILITY_GAP: { kind: "gap", facts: CapabilityGapFacts },
  CAPABILITY_GAP_RESOLVED: { kind: "gap", facts: CapabilityGapFacts },
  Q_PROMOTIONS_DETECTED: { kind: "advisory", facts: PromotionsDetectedFacts },
  Q_MODULE_DISCOVERED: { kind: "advisory", facts: ModuleDiscoveredFacts },
  Q_HEALTH_ALERT: { kind: "advisory", facts: anyFacts },
  Q_AGENT_UP: { kind: "advisory", facts: AgentFacts },
  Q_AGENT_DOWN: { kind: "advisory", facts: AgentFacts },
  Q_PROCESS_RESTARTED: { kind: "advisory", facts: ProcessFacts },
  Q_PHASE_WINDOW_OPEN: {
    kind: "advisory",
    facts: z.looseObject({ phase_done_today: z.boolean().optional() }),
    reserved: true,
  },
  Q_DREAM_TRIGGER: { kind: "trigger", facts: DreamTriggerFacts },
  Q_CURIOSITY_INVESTIGATE: { kind: "trigger", facts: CuriosityInvestigateFacts },
  Q_PHASE_TRIGGER: { kind: "trigger", facts: anyFacts, reserved: true },
  Q_INVESTIGATION_COMPLETE: { kind: "completion", facts: anyFacts },
  Q_MODULE_INTEGRATED: {
    kind: "completion",
    facts: z.looseObject({ module_name: text, module_path: z.string() }),
  },
  Q_WINNER_DEPLOYED: { kind: "completion", facts: anyFacts },
  Q_DREAM_COMPLETE: { kind: "completion", facts: anyFacts },
  Q_PHASE_COMPLETE: { kind: "completion", facts: anyFacts, reserved: true },
  Q_INTEGRATION_FAILED: { kind: "error", facts: anyFacts },
  Q_DEPLOYMENT_FAILED: { kind: "error", facts: anyFacts },
  Q_PROCESS_CRASHED: { kind: "error", facts: ProcessFacts },
  Q_PROCESS_HUNG: { kind: "error", facts: ProcessFacts },
  Q_PROCESS_LIMIT_EXCEEDED: { kind: "error", facts: ProcessFacts },
  Q_PROCESS_GAVE_UP: { kind: "error", facts: ProcessFacts },
  Q_INVESTIGATION_TIMEOUT: { kind: "error", facts: anyFacts },
  Q_INVESTIGATION_DUPLICATE: { kind: "completion", facts: anyFacts },
  Q_DREAM_TIMEOUT: { kind: "error", facts: anyFacts },
  Q_DREAM_FAILED: { kind: "error", facts: anyFacts },
  Q_INVESTIGATION_FAILED: { kind: "error", facts: anyFacts },
  Q_TASK_COMPLETE: { kind: "completion", facts: anyFacts },
  Q_TASK_FAILED: { kind: "error", facts: anyFacts },
  Q_TASK_VERIFIED: { kind: "advisory", facts: anyFacts },
  Q_TASK_PROGRESS: { kind: "advisory", facts: anyFacts },
  Q_QUEUE_ALERT: { kind: "advisory", facts: anyFacts },
  Q_QUEUE_BREAKER: { kind: "advisory", facts: anyFacts },
  Q_QUEUE_PAUSE: { kind: "advisory", facts: anyFacts },
  Q_QUEUE_BULK: { kind: "advisory", facts: anyFacts },
  Q_DEAD_LETTERS_GROWING: {
    kind: "advisory",
    facts: z.looseObject({ open: count, limit: count }),
  },
  Q_QUEUE_DEADLOCK: { kind: "error", facts: anyFacts },
  Q_LIMIT_CLOSED: { kind: "advisory", facts: LimitFacts },
  Q_LIMIT_OPENED: { kind: "advisory", facts: LimitFacts },
  Q_BUDGET_NOTICE: { kind: "advisory", facts: BudgetFacts },
  Q_BUDGET_SPENT: { kind: "advisory", facts: BudgetFacts },
  Q_SCHEDULE_LATE_START: { kind: "error", facts: ScheduleFacts },
  Q_SCHEDULE_LATE_FINISH: { kind: "error", facts: ScheduleFacts },
  Q_SCHEDULE_TOO_FAST: { kind: "advisory", facts: ScheduleFacts },
  Q_SCHEDULE_TOO_OFTEN: { kind: "advisory", facts: ScheduleFacts },
  Q_NOTE_CHANGED: { kind: "advisory", facts: NoteFacts },
  Q_QUESTION_ASKED: { kind: "advisory", facts: QuestionFacts },
  Q_QUESTION_REMINDED: { kind: "advisory", facts: QuestionFacts },
  Q_QUESTION_ESCALATED: { kind: "advisory", facts: QuestionFacts },
  Q_QUESTION_ANSWERED: { kind: "completion", facts: QuestionFacts },
  Q_QUESTION_EXPIRED: { kind: "error", facts: QuestionFacts },
  Q_QUESTION_CANCELLED: { kind: "advisory", facts: QuestionFacts },
  Q_PERMISSION_ASKED: { kind: "advisory", facts: PermissionFacts },
  Q_PERMISSION_ANSWERED: { kind: "completion", facts: PermissionFacts },
  Q_PERMISSION_EXPIRED: { kind: "error", facts: PermissionFacts },
  Q_PERMISSION_CANCELLED: { kind: "advisory", facts: PermissionFacts },
  Q_LOCK_EXPIRED: { kind: "error", facts: LockFacts },
  Q_LOCK_LATE: { kind: "advisory", facts: LockFacts },
  Q_LOCK_CYCLE: { kind: "error", facts: LockFacts },
  Q_REACTION_COMPLETE: { kind: "completion", facts: anyFacts },
  Q_REACTION_FAILED: { kind: "error", facts: anyFacts },
  Q_REACTION_PROGRESS: { kind: "advisory", facts: anyFacts },
  Q_WORKER_TASK_STARTED: { kind: "advisory", facts: anyFacts },
  Q_WORKER_TASK_COMPLETE: { kind: "completion", facts: anyFacts },
  Q_WORKER_TASK_FAILED: { kind: "error", facts: anyFacts },
  Q_WORKER_TASK_TIMEOUT: { kind: "error", facts: anyFacts },
  Q_SESSION_BEGUN: { kind: "advisory", facts: SessionFacts },
  Q_SESSION_ENDED: { kind: "completion", facts: SessionFacts },
  Q_SESSION_PROMPTED: { kind: "advisory", facts: SessionFacts },
  Q_SESSION_REPLIED: { kind: "completion", facts: SessionFacts },
  Q_SESSION_TOOL_STARTED: { kind: "advisory", facts: SessionFacts },
  Q_SESSION_TOOL_ENDED: { kind: "completion", facts: SessionFacts },
  Q_SESSION_PERMISSION_ASKED: { kind: "advisory", facts: SessionFacts },
  Q_SESSION_PERMISSION_ANSWERED: { kind: "advisory", facts: SessionFacts },
  Q_SESSION_USAGE: { kind: "advisory", facts: SessionFacts },
  Q_SESSION_API_FAILED: { kind: "error", facts: SessionFacts },
  Q_SESSION_ACTIVE: { kind: "advisory", facts: SessionFacts },
  Q_SESSION_WAITING: { kind: "advisory", facts: SessionFacts },
  Q_SESSION_FROZEN: { kind: "error", facts: SessionFacts },
  Q_SESSION_RESUMED: { kind: "advisory", facts: SessionFacts },
  Q_POLICY_CHANGED: { kind: "advisory", facts: anyFacts },
  Q_POLICY_STATE_IMPORTED: { kind: "advisory", facts: anyFacts },
  Q_POLICY_QUARANTINED: { kind: "error", facts: anyFacts },
  Q_SCANNER_CHANGED: { kind: "advisory", facts: anyFacts },
  Q_OBSERVATION_SETTINGS_CHANGED: { kind: "advisory", facts: anyFacts },
  Q_MAINTENANCE_CHANGED: { kind: "advisory", facts: anyFacts },
  Q_ROLLOUT_CHANGED: { kind: "advisory", facts: z.looseObject(RolloutFacts) },
  Q_ROLLOUT_ROLLED_BACK: {
    kind: "error",
    facts: z.looseObject({
      ...RolloutFacts,
      rule: text.meta({ description: "The limit that was passed; by_hand: somebody rolled back" }),
      value: z.number().nullable(),
      limit: z.number().nullable(),
    }),
  },
  Q_INTELLIGENCE_HEALTH: {
    kind: "advisory",
    facts: z.looseObject({ requests: count.meta({ description: "Requests to live hosts in the last five minutes" }) }),
  },
  Q_INTELLIGENCE_ALERT: { kind: "advisory", facts: anyFacts },
  Q_LOG_TRUNCATED: {
    kind: "advisory",
    facts: z.looseObject({ dropped_signals: count, oldest_seq: count.nullable(), limit_bytes: z.number() }),
  },
  Q_LOG_DAMAGED: {
    kind: "advisory",
    facts: z.looseObject({ damaged_rows: count, damaged_in_all: count, first: z.array(z.unknown()) }),
  },
  Q_LOG_SET_BACK: {
    kind: "advisory",
    facts: z.looseObject({ projection: text, cursor: count, head_seq: count, replaced: z.boolean() }),
  },
  Q_ERASED: { kind: "advisory", facts: anyFacts },
  Q_PROGRAM_SILENT: { kind: "advisory", facts: anyFacts },
  Q_PROGRAM_BACK: { kind: "advisory", facts: anyFacts },
  Q_WORKER_SILENT: { kind: "advisory", facts: anyFacts },
  Q_WORKER_BACK: { kind: "advisory", facts: anyFacts },
  "ganglion.budget.warned": {
    kind: "advisory",
    facts: z.looseObject({ month: text, monthly_usd: z.number(), spent_usd: z.number(), share: z.number() }),
  },
  "ganglion.budget.changed": {
    kind: "advisory",
    facts: z.looseObject({ monthly_usd: z.number().nullable(), before_usd: z.number().nullable() }),
  },
  Q_EDGE_SILENT: { kind: "advisory", facts: anyFacts },
  Q_EDGE_BACK: { kind: "advisory", facts: anyFacts },
} as const satisfies Record<string, KnownSignal>;

const byName: ReadonlyMap<string, KnownSignal> = new Map(Object.entries(KNOWN_SIGNALS));

/** @returns kind and facts schema of a known signal; `undefined` for a name whose facts may be any object */
export function knownSignal(name: string): KnownSignal | undefined {
  return byName.get(name);
}
