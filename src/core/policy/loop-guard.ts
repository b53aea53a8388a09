import { LIMITS } from "../signals/limits.ts";
import type { CompiledRule } from "./compiled-rule.ts";
import type { EvaluationContext } from "./evaluation-context.ts";
import type { EvaluationResult } from "./evaluation-result.ts";
import type { RuleState } from "./rule-state.ts";
import type { Origin, StateBodies, StateRow } from "./state.ts";

/** Ends chains of causes that only a loop makes so long, and rules that fire as often as only a loop makes them. */
export function guardLoops(
  result: EvaluationResult,
  compiled: CompiledRule,
  context: EvaluationContext,
  state: RuleState,
): EvaluationResult {
  if (result.outcome === "suppressed" && result.effects.length === 0) return result;
  const tooDeep = depthExceeded(context.origin);
  if (tooDeep !== undefined) return { outcome: "failed", reason: tooDeep, effects: [], mutations: [], cut: "depth" };
  const tooFar = hopsExceeded(context.origin, compiled.forwards);
  if (tooFar !== undefined) return { outcome: "failed", reason: tooFar, effects: [], mutations: [], cut: "hops" };
  const window = rateWindow(compiled, context, state);
  const { n, per } = compiled.rule.rate;
  if (window.fired < n) {
    const firing = rateRow(compiled, { ...window, fired: window.fired + 1 });
    return { ...result, mutations: [...result.mutations, firing] };
  }
  const reason = `cut off: the rule fired more than ${n} times in ${per}; raise its rate if that is intended`;
  // As many dead letters as firings are enough to show the problem. A storm of signals must not become one of dead
  // letters.
  if (window.cut >= n) return { outcome: "suppressed", reason, effects: [], mutations: [], cut: "rate", quiet: true };
  const cut = rateRow(compiled, { ...window, cut: window.cut + 1 });
  return { outcome: "failed", reason, effects: [], mutations: [cut], cut: "rate" };
}

/** @returns the reason to stop where the chain of causes above a signal is as long as it may become */
export function depthExceeded({ id, depth = 0 }: Origin): string | undefined {
  return depth < LIMITS.causalDepth ? undefined : `cut off: the chain of causes above ${id} is ${depth} signals long`;
}

/** @returns the reason to stop where the chain of causes has crossed from ecosystem to ecosystem as often as it may */
function hopsExceeded({ id, hops = 0 }: Origin, forwards: boolean): string | undefined {
  if (!forwards || hops < LIMITS.hops) return undefined;
  return `cut off: the chain of causes above ${id} has gone from one ecosystem to another ${hops} times`;
}

/** @returns the row that counts one more firing of the rule */
export function countFiring(compiled: CompiledRule, context: EvaluationContext, state: RuleState): StateRow {
  const window = rateWindow(compiled, context, state);
  return rateRow(compiled, { ...window, fired: window.fired + 1 });
}

/** How often the rule has fired in the present window of its rate. */
function rateWindow(compiled: CompiledRule, { nowMs }: EvaluationContext, state: RuleState): StateBodies["rate"] {
  const known = state.get("rate", compiled.rule.id, "");
  return known === undefined || nowMs >= known.untilMs
    ? { sinceMs: nowMs, fired: 0, cut: 0, untilMs: nowMs + compiled.rate.perMs }
    : known;
}

function rateRow(compiled: CompiledRule, body: StateBodies["rate"]): StateRow {
  return { kind: "rate", rule: compiled.rule.id, key: "", body };
}
