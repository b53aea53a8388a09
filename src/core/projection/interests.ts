import { BOARD_SIGNALS } from "../file-tasks/board.ts";
import { BUILT_IN_RULES } from "../policy/built-in-rules.ts";
import { watchedPatterns } from "../policy/rule.ts";
import type { ProjectionName } from "./batch.ts";

/**
 * What each projection wants to see of the log, whatever it has asked for besides. Everything else never enters the
 * queue: a signal that no projection reads costs its share of one row and nothing more.
 */
export const DEFAULT_SUBSCRIPTIONS: Readonly<Record<ProjectionName, readonly string[]>> = {
  // Its own gap signals too: they are how the gap book is rebuilt from the log.
  observations: ["OBSERVATION", "CAPABILITY_GAP", "CAPABILITY_GAP_RESOLVED"],
  policy: watchedPatterns(BUILT_IN_RULES),
  workers: BOARD_SIGNALS,
};
