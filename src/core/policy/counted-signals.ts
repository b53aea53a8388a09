import { compilePatterns } from "../signals/pattern.ts";
import type { Signal } from "../signals/signal.ts";
import { checkedMs } from "./duration.ts";
import { compileExpression } from "./expression.ts";
import { keyOf } from "./key.ts";
import type { Rule } from "./rule.ts";
import { WorkBudget } from "./work-budget.ts";

const STEPS = 1_000_000;

/** The stretch of the log in which the signals lie that a rule with `at_least` has counted; `undefined`: it counts none. */
export function countedStretch(
  { at_least }: Rule,
  last: Pick<Signal, "received_at">,
): { readonly sinceMs: number } | undefined {
  return at_least === undefined ? undefined : { sinceMs: Date.parse(last.received_at) - checkedMs(at_least.within) };
}

/**
 * The signals behind a decision of a rule with `at_least`: those that it had counted, the one that it decided on last.
 * A condition that reads what the rule remembered is taken as met: what it remembered then is not known now.
 *
 * @param candidates - signals of the stretch in the order of the log
 */
export function countedSignals(rule: Rule, last: Signal, candidates: readonly Signal[]): Signal[] {
  const { at_least, when, where } = rule;
  const stretch = countedStretch(rule, last);
  if (at_least === undefined || stretch === undefined) return [];
  const by = at_least.by === undefined ? undefined : compileExpression(at_least.by);
  const condition = where === undefined || /\bstate\b/.test(where) ? undefined : compileExpression(where);
  const work = new WorkBudget(STEPS, "the rule takes too many steps to be looked at again");
  const scopeOf = ({ signal, id, source, facts, ecosystem, received_at }: Signal) => {
    const now = new Date(received_at);
    return { signal, id, source, facts, ecosystem, now, state: {}, work };
  };
  const isNamed = compilePatterns(when);
  const key = keyOf(by, scopeOf(last));
  const counts = (signal: Signal): boolean => {
    if (signal.seq > last.seq || !isNamed(signal.signal)) return false;
    if (Date.parse(signal.received_at) <= stretch.sinceMs) return false;
    try {
      return (condition === undefined || condition(scopeOf(signal)) === true) && keyOf(by, scopeOf(signal)) === key;
    } catch {
      return false; // the rule had failed on it, and had not counted it
    }
  };
  return candidates.filter((signal) => signal.seq === last.seq || counts(signal)).slice(-at_least.n);
}
