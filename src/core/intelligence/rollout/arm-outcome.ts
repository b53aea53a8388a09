import type { IntelligenceContext } from "../context.ts";
import { outcomeOf } from "../outcome.ts";
import { type ArmName, ArmOutcomes, MAX_MS } from "./api.ts";

const COUNT_OF = { success: "successes", timeout: "timeouts", error: "errors", fallback: "fallbacks" } as const;

/**
 * What one gathered context adds to the figures of its arm; `undefined`: it belongs to neither, because live discovery is
 * switched off for this asker, or the request could not be asked.
 *
 * @param liveMs - how long live hosts were asked; `undefined`: they were not
 */
export function armOutcomeOf(
  context: Pick<IntelligenceContext, "fallback_reason" | "production_examples" | "confidence_score" | "duration_ms">,
  liveMs: number | undefined,
): { readonly arm: ArmName; readonly outcomes: ArmOutcomes } | undefined {
  const { fallback_reason: reason, confidence_score: confidence, duration_ms } = context;
  const arm = liveMs !== undefined ? "live" : reason === "not_in_share" ? "library" : undefined;
  if (arm === undefined) return undefined;
  const outcome = arm === "library" ? "success" : (outcomeOf(reason) ?? "success");
  const outcomes = ArmOutcomes.parse({
    [COUNT_OF[outcome]]: 1,
    connection_errors: reason === "connection_failed" ? 1 : 0,
    mismatches: reason === "correlation_mismatch" ? 1 : 0,
    corrupted: reason === "unreadable_answer" ? 1 : 0,
    patterns: context.production_examples.length,
    confidence: { sum: confidence, squares: confidence ** 2 },
    latency_ms: [[Math.min(MAX_MS, liveMs ?? duration_ms), 1]],
  });
  return { arm, outcomes };
}
