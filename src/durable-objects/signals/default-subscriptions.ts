import { SESSION_SIGNALS } from "../../core/agent-sessions/board-signals.ts";
import { BOARD_SIGNALS } from "../../core/file-tasks/board.ts";
import { POLICY_SIGNALS } from "../../core/policy/default-subscription.ts";
import type { ProjectionName } from "../../core/projection/batch.ts";

/**
 * Patterns to which each projection is subscribed from the start, besides those that it asks for. No other signal enters the
 * queue: a signal that no projection reads costs its share of one row and nothing more.
 */
export const DEFAULT_SUBSCRIPTIONS: Readonly<Record<ProjectionName, readonly string[]>> = {
  // The gap signals are its own: from them it rebuilds its gaps.
  observations: ["OBSERVATION", "CAPABILITY_GAP", "CAPABILITY_GAP_RESOLVED"],
  policy: POLICY_SIGNALS,
  workers: [...BOARD_SIGNALS, ...SESSION_SIGNALS],
};
