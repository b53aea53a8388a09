import type { Signal } from "../signals/signal.ts";
import { compileRule } from "./compiled-rule.ts";
import { contextOf } from "./evaluation-context.ts";
import { keyOf } from "./key.ts";
import type { Rule } from "./rule.ts";
import type { HeldMark } from "./state-import.ts";
import { ruleBudget, signalBudget } from "./work-budget.ts";

/**
 * Marks of work in flight whose end the log has already: it came after the work began, and before the import.
 *
 * @param ends - signals of the rule's `until`
 * @returns the signal that ended each of them
 */
export function endedMarks(
  rule: Rule,
  marks: readonly HeldMark[],
  ends: readonly Signal[],
): ReadonlyMap<HeldMark, Signal> {
  const { inFlight } = compileRule(rule);
  const ended = new Map<HeldMark, Signal>();
  if (inFlight === undefined) return ended;
  for (const signal of ends) {
    const { scope } = contextOf(signal, Date.parse(signal.received_at));
    let key: string | undefined;
    try {
      if (inFlight.untilBy !== undefined) {
        key = keyOf(inFlight.untilBy, { ...scope, work: ruleBudget(signalBudget()) });
      }
    } catch {
      // As in force: a signal without the key ends nothing.
      continue;
    }
    const atMs = Date.parse(signal.timestamp);
    for (const mark of marks) {
      if (mark.kind !== "in_flight" || mark.sinceMs >= atMs) continue;
      if (key === undefined || key === (mark.key ?? "")) ended.set(mark, signal);
    }
  }
  return ended;
}
