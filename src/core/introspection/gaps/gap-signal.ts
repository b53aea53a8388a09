import * as z from "zod";
import type { CapabilityGapFacts } from "../../signals/known-signals.ts";
import type { Signal } from "../../signals/signal.ts";
import { Gap } from "../api.ts";
import { fingerprintOf } from "./gap.ts";

/** Source of the edge's own gap signals. Gap signals of other sources are not tracked here. */
export const GAP_SOURCE = "ganglion/observations";

/** Facts of `CAPABILITY_GAP` and `CAPABILITY_GAP_RESOLVED`. With their times, the gap tracker can be rebuilt from the log. */
export function gapFacts(gap: Gap): CapabilityGapFacts {
  return {
    gap_type: gap.type,
    gap_name: gap.name,
    gap_category: gap.category,
    gap_reason: gap.reason,
    alignment_score: gap.alignment_score,
    install_cost: gap.install_cost,
    metadata: gap.metadata,
    fingerprint: gap.fingerprint,
    raised_at: gap.raised_at,
    last_seen_at: gap.last_seen_at,
    ...(gap.resolved_at === undefined ? {} : { resolved_at: gap.resolved_at }),
    ...(gap.reopened === undefined ? {} : { reopened: gap.reopened }),
    ...(gap.reminders === undefined ? {} : { reminders: gap.reminders, reminded_at: gap.reminded_at }),
  };
}

const { raised_at, last_seen_at, resolved_at, reopened, reminders, reminded_at } = Gap.shape;
/** Facts that {@link gapFacts} wrote. Earlier versions wrote no `fingerprint`. */
const StoredGapFacts = z.object({
  gap_type: Gap.shape.type,
  gap_name: Gap.shape.name,
  gap_category: Gap.shape.category,
  gap_reason: Gap.shape.reason,
  alignment_score: Gap.shape.alignment_score,
  install_cost: Gap.shape.install_cost,
  metadata: Gap.shape.metadata,
  fingerprint: Gap.shape.fingerprint.optional(),
  raised_at,
  last_seen_at,
  resolved_at,
  reopened,
  reminders,
  reminded_at,
});

/**
 * Reads a gap back from a signal that {@link gapFacts} made.
 *
 * @throws ZodError for facts of another form, such as those of a signal that a caller sent under the edge's source
 */
export function gapOf(signal: Signal): Gap {
  const facts = StoredGapFacts.parse(signal.facts);
  const { reopened, reminders, reminded_at, resolved_at } = facts;
  const isReminder =
    signal.signal === "CAPABILITY_GAP" && reminded_at !== undefined && reminded_at === facts.last_seen_at;
  // A reminder and a resolution name the signal that raised the gap as their cause.
  const raisedBy = signal.signal === "CAPABILITY_GAP" && !isReminder ? signal.id : signal.cause;
  return {
    name: facts.gap_name,
    fingerprint: facts.fingerprint ?? fingerprintOf(facts.gap_category, facts.gap_name),
    category: facts.gap_category,
    type: facts.gap_type,
    reason: facts.gap_reason,
    alignment_score: facts.alignment_score,
    install_cost: facts.install_cost,
    metadata: facts.metadata,
    raised_at: facts.raised_at,
    last_seen_at: facts.last_seen_at,
    ...(reopened === undefined ? {} : { reopened }),
    ...(reminders === undefined ? {} : { reminders }),
    ...(reminded_at === undefined ? {} : { reminded_at }),
    ...(raisedBy === undefined ? {} : { signal_id: raisedBy }),
    ...(signal.signal === "CAPABILITY_GAP" || resolved_at === undefined
      ? { status: "open" }
      : { status: "resolved", resolved_at }),
  };
}
