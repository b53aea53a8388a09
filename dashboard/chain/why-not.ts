import type { Policy } from "../../src/core/policy/api.ts";
import type { Decision } from "../../src/core/policy/decision.ts";
import { patternsMatch } from "../../src/core/signals/pattern.ts";
import type { Signal } from "../../src/core/signals/signal.ts";

type Ruled = Pick<Policy, "id" | "enabled" | "when" | "where" | "changed_at" | "quarantined">;

export interface WhyNot {
  readonly rule: string;
  readonly fired: boolean;
  readonly because: string;
}

/** Why each rule did, or did not, fire on a signal; rules that looked at the signal first. */
export function whyNot(
  signal: Pick<Signal, "signal" | "id" | "received_at">,
  rules: readonly Ruled[],
  decisions: readonly Decision[],
): WhyNot[] {
  const own = new Map(decisions.filter((one) => one.signal.id === signal.id).map((one) => [one.rule, one]));
  return rules
    .map((rule) => ({ rule: rule.id, ...reasonFor(signal, rule, own.get(rule.id)), looked: own.has(rule.id) }))
    .sort((a, b) => Number(b.looked) - Number(a.looked) || (a.rule < b.rule ? -1 : 1))
    .map(({ looked: _, ...rest }) => rest);
}

function reasonFor(
  { signal, received_at }: Pick<Signal, "signal" | "received_at">,
  { enabled, when, where, changed_at, quarantined }: Ruled,
  decision: Decision | undefined,
): Omit<WhyNot, "rule"> {
  if (decision !== undefined) {
    const because = decision.reason ?? (decision.outcome === "fired" ? "all its conditions held" : decision.outcome);
    return { fired: decision.outcome === "fired", because };
  }
  if (!patternsMatch(when, signal)) {
    return { fired: false, because: `it decides on ${when.join(", ")}, and this is ${signal}` };
  }
  if (quarantined !== undefined) return { fired: false, because: `it is quarantined: ${quarantined.reason}` };
  if (!enabled) return { fired: false, because: "it is switched off" };
  if (changed_at > received_at) {
    return { fired: false, because: "it was put or changed after this signal came" };
  }
  return {
    fired: false,
    because:
      where === undefined
        ? "it made no decision that is still known; decisions are kept for 30 days"
        : `its condition did not hold: ${where}`,
  };
}
