import type { FieldError } from "../problem/field-error.ts";
import { ERASED_NAME, ERASED_SIGNAL } from "./log/erased.ts";
import type { NewSignal } from "./signal.ts";

/**
 * Signals that the edge alone emits, about itself: programs act on them as facts. Names that daemons of hosts use too,
 * such as CAPABILITY_GAP, are not among them; their source says who found what.
 */
const OWN_SIGNALS: ReadonlySet<string> = new Set([
  "CAPABILITY_GAP_RESOLVED",
  "Q_AGENT_UP",
  "Q_AGENT_DOWN",
  "Q_DEAD_LETTERS_GROWING",
  "Q_TASK_VERIFIED",
  "Q_QUEUE_BREAKER",
  "Q_QUEUE_PAUSE",
  "Q_QUEUE_BULK",
  "Q_QUEUE_DEADLOCK",
  "Q_LIMIT_CLOSED",
  "Q_LIMIT_OPENED",
  "Q_BUDGET_NOTICE",
  "Q_BUDGET_SPENT",
  "Q_SCHEDULE_LATE_START",
  "Q_SCHEDULE_LATE_FINISH",
  "Q_SCHEDULE_TOO_FAST",
  "Q_SCHEDULE_TOO_OFTEN",
  "Q_NOTE_CHANGED",
  "Q_QUESTION_ASKED",
  "Q_QUESTION_REMINDED",
  "Q_QUESTION_ESCALATED",
  "Q_QUESTION_ANSWERED",
  "Q_QUESTION_EXPIRED",
  "Q_QUESTION_CANCELLED",
  "Q_PERMISSION_ASKED",
  "Q_PERMISSION_ANSWERED",
  "Q_PERMISSION_EXPIRED",
  "Q_PERMISSION_CANCELLED",
  "Q_LOCK_EXPIRED",
  "Q_LOCK_LATE",
  "Q_LOCK_CYCLE",
  "Q_POLICY_CHANGED",
  "Q_POLICY_STATE_IMPORTED",
  "Q_POLICY_QUARANTINED",
  "Q_SCANNER_CHANGED",
  "Q_OBSERVATION_SETTINGS_CHANGED",
  "Q_MAINTENANCE_CHANGED",
  "Q_ROLLOUT_CHANGED",
  "Q_ROLLOUT_ROLLED_BACK",
  "Q_INTELLIGENCE_HEALTH",
  "Q_SESSION_WAITING",
  "Q_SESSION_FROZEN",
  "Q_SESSION_RESUMED",
  "Q_LOG_TRUNCATED",
  "Q_LOG_DAMAGED",
  "Q_LOG_SET_BACK",
  ERASED_SIGNAL,
  "ganglion.budget.warned",
  "ganglion.budget.changed",
]);

/** Whether signals of this name are emitted by the edge alone. */
export const isOwnSignal = (name: string): boolean => OWN_SIGNALS.has(name);

/** A token sends a signal of a source to which it is not bound. @param at - JSON pointer of the signal */
export const foreignSource = (source: string, at: string): FieldError => ({
  pointer: `${at}/source`,
  message: `the token is bound to other sources than "${source}"`,
});

const hasOwnSource = ({ source }: NewSignal): boolean =>
  (source.startsWith("ganglion") && (source.length === 8 || source[8] === "/")) || source === ERASED_NAME;
const hasOwnId = ({ id }: NewSignal): boolean => id?.startsWith("ganglion.") === true;

/** Whether {@link reservedFields} finds anything. */
export function hasReserved(signal: NewSignal, admin: boolean): boolean {
  return hasOwnSource(signal) || hasOwnId(signal) || (!admin && OWN_SIGNALS.has(signal.signal));
}

/**
 * What of a signal belongs to the edge: the parts of the edge append their signals themselves, and trust such sources and
 * ids. Nobody else may use them.
 *
 * @param admin - an administrator may emit the edge's own signals, to try a rule; not in the edge's name
 * @param at - JSON pointer of the signal
 */
export function reservedFields(signal: NewSignal, admin: boolean, at: string): FieldError[] {
  const errors: FieldError[] = [];
  if (hasOwnSource(signal))
    errors.push({
      pointer: `${at}/source`,
      message: `sources that begin with ganglion/ belong to the edge, and so does ${ERASED_NAME}: name your own`,
    });
  if (hasOwnId(signal))
    errors.push({
      pointer: `${at}/id`,
      message: "ids that begin with ganglion. belong to the edge: choose another, or none",
    });
  if (!admin && isOwnSignal(signal.signal))
    errors.push({
      pointer: `${at}/signal`,
      message: `${signal.signal} is emitted by the edge alone: choose another name`,
    });
  return errors;
}
