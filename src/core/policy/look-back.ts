import { type CompiledRule, compileRule } from "./compiled-rule.ts";
import { MEMORY_MS } from "./evaluate-rule.ts";
import type { Rule } from "./rule.ts";

/**
 * How far back a signal may lie whose effect on the rules' state still lasts: the longest of all their times, in
 * milliseconds.
 *
 * @throws InvalidRule
 */
export function lookBackMs(rules: readonly Rule[]): number {
  return Math.max(0, ...rules.map((rule) => longestOf(compileRule(rule))));
}

function longestOf({
  cooldownMs,
  oncePer,
  atLeast,
  inFlight,
  nearDuplicate,
  expect,
  rate,
  remember,
}: CompiledRule): number {
  return Math.max(
    cooldownMs ?? 0,
    oncePer?.withinMs ?? 0,
    atLeast?.withinMs ?? 0,
    inFlight?.atMostMs ?? 0,
    nearDuplicate?.withinMs ?? 0,
    // Twice: which answer belonged to which question is certain only after all earlier waits have ended.
    2 * ((expect?.withinMs ?? 0) + (expect?.lookbackMs ?? 0)),
    rate.perMs,
    remember.length > 0 ? MEMORY_MS : 0,
  );
}
