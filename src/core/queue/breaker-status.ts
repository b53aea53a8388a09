import * as z from "zod";
import { type Problem, problem } from "../problem/problem.ts";
import { formatTimestamp } from "../signals/timestamp.ts";
import { Timestamp } from "../signals/timestamp-schema.ts";
import type { BreakerChange, BreakerWait } from "./breaker.ts";
import type { CallBreakers } from "./call-breakers.ts";
import type { CallFallback } from "./queue-settings.ts";

/** A breaker that is not closed. */
export const BreakerStatus = z.object({
  recipient: z.string(),
  state: z.enum(["open", "half_open"]).meta({
    description: "open: no call is let through; half_open: one call was let through to try, and decides",
  }),
  reason: z.string().meta({ description: "Why the breaker opened, or what became of the last probe" }),
  since: Timestamp.meta({ description: "When the breaker opened" }),
  next_probe_at: Timestamp.meta({
    description: "When the next call is let through; half_open: when the probe has ended at the latest",
  }),
  failed_probes: z.int().nonnegative().meta({ description: "Probes that failed since the breaker opened" }),
});
export type BreakerStatus = z.infer<typeof BreakerStatus>;

/** A call that the breaker of its recipient does not let through. */
export interface BreakerRefusal {
  readonly refused: "breaker_open";
  readonly recipient: string;
  readonly reason: string;
  readonly nextProbeMs: number;
  readonly waitMs: number;
  /** Answers the call instead, by the settings of the queue. */
  readonly fallback: { readonly resultJson: string; readonly source: string; readonly confidence: number } | null;
}

export function refusalOf(
  recipient: string,
  { reason, nextProbeMs }: BreakerWait,
  fallback: CallFallback | null,
  nowMs: number,
): BreakerRefusal {
  return {
    refused: "breaker_open",
    recipient,
    reason,
    nextProbeMs,
    waitMs: Math.max(0, nextProbeMs - nowMs),
    fallback:
      fallback === null
        ? null
        : {
            resultJson: JSON.stringify(fallback.result ?? null),
            source: fallback.source,
            confidence: fallback.confidence,
          },
  };
}

export function breakerOpen({ recipient, reason, nextProbeMs, waitMs }: BreakerRefusal): Problem {
  const at = formatTimestamp(nextProbeMs);
  return problem(
    "breaker-open",
    503,
    "The breaker of the recipient is open",
    `Nothing of the call was kept: ${reason}. Calls for ${recipient} are refused until ${at}; then one is let through to try.`,
    { recipient, reason, next_probe_at: at, retry_after_ms: waitMs },
  );
}

export function breakerStatus(breakers: CallBreakers): BreakerStatus[] {
  return breakers.open.map(([recipient, state]) => ({
    recipient,
    state: state.state,
    reason: state.reason,
    since: formatTimestamp(state.sinceMs),
    next_probe_at: formatTimestamp(state.state === "open" ? state.untilMs : state.probe.endsMs),
    failed_probes: state.failedProbes,
  }));
}

/** Facts of the signal about a change. */
export function breakerFacts(queue: string, change: BreakerChange & { readonly recipient: string }) {
  const { recipient, state, reason, sinceMs, nextProbeMs, probe } = change;
  return {
    queue,
    recipient,
    state,
    reason,
    since: formatTimestamp(sinceMs),
    ...(nextProbeMs === null ? {} : { next_probe_at: formatTimestamp(nextProbeMs) }),
    ...(probe === null ? {} : { probe }),
  };
}
