import type { AgentSession } from "../agent-sessions/api.ts";
import type { Budget } from "../billing/budget.ts";
import type { DeadLetterSummary } from "../dead-letters/digest.ts";
import type { FleetHost } from "../hosts/fleet.ts";
import type { Gap, ScannerStatus } from "../introspection/api.ts";
import type { LimitFinding } from "../limits/api.ts";
import type { BudgetFinding } from "../limits/budgets/api.ts";
import type { LockFindings } from "../locks/api.ts";
import type { ModelSettingsView } from "../models/api.ts";
import type { LateExpectation } from "../policy/late-expectation.ts";
import type { QuestionFinding } from "../questions/api.ts";
import type { QueueStatus } from "../queue/api.ts";
import type { ScheduleFinding } from "../schedules/api.ts";
import type { LogStatus } from "../signals/api.ts";
import type { Signal } from "../signals/signal.ts";
import type { ExportHealth } from "../telemetry/api.ts";
import type { Endpoint } from "../webhooks/api.ts";

export type QueueState = Pick<QueueStatus, "queue" | "alerts" | "breakers"> & {
  readonly by_recipient: Readonly<Record<string, { readonly queued: number }>>;
  readonly paused?: QueueStatus["paused"] | undefined;
  readonly late_mail?: QueueStatus["late_mail"] | undefined;
  readonly unplaced?: QueueStatus["unplaced"] | undefined;
  readonly unjudged?: QueueStatus["unjudged"] | undefined;
  readonly workers?: QueueStatus["workers"] | undefined;
  readonly closed_limits?: QueueStatus["closed_limits"] | undefined;
};

/** What the objects of an ecosystem say of themselves. */
export interface EcosystemState {
  readonly ecosystem: string;
  readonly hosts: readonly FleetHost[];
  /** Sessions of agents that wait too long for a person, or are frozen. */
  readonly sessions: readonly Pick<
    AgentSession,
    "session" | "agent" | "source" | "verdict" | "since" | "tool" | "directory"
  >[];
  /** Open gaps. */
  readonly gaps: readonly Gap[];
  readonly scanners: readonly Pick<ScannerStatus, "id" | "state" | "last_error" | "retry_at">[];
  /** Ids of rules that are not evaluated any more. */
  readonly quarantined: readonly string[];
  readonly late: readonly LateExpectation[];
  readonly queues: readonly QueueState[];
  readonly deadLetters: DeadLetterSummary;
  readonly webhooks: readonly Pick<
    Endpoint,
    "id" | "enabled" | "disabled_reason" | "failing_since" | "last_error" | "waiting"
  >[];
  /** Forwarded signals that wait, by the ecosystem to which they go. */
  readonly forwardsWaiting: Readonly<Record<string, number>>;
  /** `undefined`: there is none. */
  readonly budget: Budget | undefined;
  /** The budget of a day for language models; `undefined`: it could not be read. */
  readonly models: Pick<ModelSettingsView, "enabled" | "models" | "daily" | "spent"> | undefined;
  /** How the export of finished work goes; absent: nothing is exported. */
  readonly exporting?: ExportHealth | undefined;
  /** Limits of providers that are closed; absent: there are none. */
  readonly limits?: readonly LimitFinding[] | undefined;
  /** Budgets of agents, tasks, chains or all that are used to two thirds or wholly; absent: there are none. */
  readonly spending?: readonly BudgetFinding[] | undefined;
  /** Limits of schedules that are broken; absent: there are no schedules. */
  readonly schedules?: readonly ScheduleFinding[] | undefined;
  /** Questions that wait for people, the first to expire first; absent: there are none. */
  readonly questions?: readonly QuestionFinding[] | undefined;
  /** Long waits for locks, and cycles of waits; absent: the ecosystem never had a lock. */
  readonly locks?: LockFindings | undefined;
  readonly damaged: LogStatus["damaged"];
  /** By projection, when the log received the oldest signal that it has not taken in. */
  readonly undelivered: Readonly<Record<string, string | null>>;
  readonly nowMs: number;
}

/** Names of the signals that tell how a matter began. */
export const TELLING_SIGNALS = [
  "Q_AGENT_DOWN",
  "Q_HEALTH_ALERT",
  "Q_PROCESS_GAVE_UP",
  "Q_PROCESS_HUNG",
  "Q_SESSION_FROZEN",
  "Q_SESSION_WAITING",
  "Q_POLICY_QUARANTINED",
  "Q_QUEUE_ALERT",
  "Q_QUEUE_BREAKER",
  "Q_QUEUE_PAUSE",
  "Q_LOG_DAMAGED",
  "ganglion.budget.warned",
] as const;

/** Signals after which something may need somebody that did not before, or does not any more. */
export const CHANGING_SIGNALS = [
  ...TELLING_SIGNALS,
  "Q_AGENT_UP",
  "Q_PROCESS_RESTARTED",
  "Q_PROCESS_CRASHED",
  "Q_SESSION_RESUMED",
  "CAPABILITY_GAP",
  "CAPABILITY_GAP_RESOLVED",
  "Q_POLICY_CHANGED",
  "Q_SCANNER_CHANGED",
  "Q_TASK_FAILED",
  "Q_WORKER_TASK_FAILED",
  "Q_REACTION_FAILED",
  "Q_EDGE_BACK",
  "Q_LIMIT_CLOSED",
  "Q_LIMIT_OPENED",
  "Q_BUDGET_NOTICE",
  "Q_BUDGET_SPENT",
  "Q_SCHEDULE_LATE_START",
  "Q_SCHEDULE_LATE_FINISH",
  "Q_SCHEDULE_TOO_FAST",
  "Q_SCHEDULE_TOO_OFTEN",
  "Q_QUESTION_ASKED",
  "Q_QUESTION_ESCALATED",
  "Q_QUESTION_ANSWERED",
  "Q_QUESTION_EXPIRED",
  "Q_QUESTION_CANCELLED",
  "Q_LOCK_LATE",
  "Q_LOCK_CYCLE",
  "Q_PROGRAM_SILENT",
  "Q_PROGRAM_BACK",
  "ganglion.budget.changed",
] as const;

/**
 * Who names this among the patterns of a stream is woken, by a frame without signals, when something of what no signal tells
 * of has changed: webhooks that fail, dead letters, late answers.
 */
export const ATTENTION_CHANGED = "ganglion.attention.changed";

/** Signals of the log that tell how matters began, the newest first. */
export type TellingSignals = readonly Pick<Signal, "id" | "signal" | "facts" | "timestamp">[];
