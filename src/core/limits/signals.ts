import { formatTimestamp } from "../signals/timestamp.ts";
import type { Closed } from "./outcomes.ts";

/** Source of all signals about limits and budgets. */
export const LIMITS_SOURCE = "ganglion/limits";

export const closedSignal = (limit: string, { reason, untilMs }: Closed) => ({
  signal: "Q_LIMIT_CLOSED",
  source: LIMITS_SOURCE,
  facts: {
    limit,
    until: formatTimestamp(untilMs),
    reason,
    text: `${limit} is closed until ${formatTimestamp(untilMs)}: ${reason}`,
  },
});

export const openedSignal = (limit: string, closedForMs: number) => ({
  signal: "Q_LIMIT_OPENED",
  source: LIMITS_SOURCE,
  facts: { limit, closed_for_ms: Math.max(0, closedForMs), text: `${limit} is open again` },
});
