import type { CapabilityGapFacts } from "../signals/known-signals.ts";
import type { Signal } from "../signals/signal.ts";
import type { Gap } from "./gap.ts";

/** Who emits gaps. A gap from anybody else is somebody's own and not in the book. */
export const GAP_SOURCE = "ganglion/observations";

/** Facts of `CAPABILITY_GAP` and `CAPABILITY_GAP_RESOLVED` (R15). The times make the book readable from the log. */
export function gapFacts(gap: Gap): CapabilityGapFacts {
  return {
    gap_type: gap.type,
    gap_name: gap.name,
    gap_category: gap.category,
    gap_reason: gap.reason,
    alignment_score: gap.alignment_score,
    install_cost: gap.install_cost,
    metadata: gap.metadata,
    raised_at: gap.raised_at,
    last_seen_at: gap.last_seen_at,
    ...(gap.resolved_at === undefined ? {} : { resolved_at: gap.resolved_at }),
  };
}

/** The other way round: the gap that one of our own signals tells of. */
export function gapOf(signal: Signal): Gap {
  const facts = signal.facts as CapabilityGapFacts & Record<"raised_at" | "last_seen_at" | "resolved_at", string>;
  const gap = {
    name: facts.gap_name,
    category: facts.gap_category,
    type: facts.gap_type,
    reason: facts.gap_reason,
    alignment_score: facts.alignment_score,
    install_cost: facts.install_cost,
    metadata: facts.metadata,
    raised_at: facts.raised_at,
    last_seen_at: facts.last_seen_at,
  };
  if (signal.signal === "CAPABILITY_GAP") return { ...gap, status: "open", signal_id: signal.id };
  const cause = signal.cause === undefined ? {} : { signal_id: signal.cause };
  return { ...gap, status: "resolved", resolved_at: facts.resolved_at, ...cause };
}
