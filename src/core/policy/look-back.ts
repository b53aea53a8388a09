import { type CompiledRule, compileRule } from "./compiled-rule.ts";
import type { Rule } from "./rule.ts";
import { MEMORY_MS } from "./rule-evaluation.ts";

/**
 * How far back something may lie that a rule still keeps: the longest of all its times, in milliseconds.
 *
 * @throws InvalidRule
 */
export function lookBackMs(rules: readonly Rule[]): number {
  return Math.max(0, ...rules.map((rule) => longestOf(compileRule(rule))));
}

function longestOf({ cooldownMs, oncePer, atLeast, flight, likeness, expect, rate, remember }: CompiledRule): number {
  return Math.max(
    cooldownMs ?? 0,
    oncePer?.withinMs ?? 0,
    atLeast?.withinMs ?? 0,
    flight?.atMostMs ?? 0,
    likeness?.withinMs ?? 0,
    // Twice: which answer belonged to which question is only seen once what was asked before is out of the way.
    2 * ((expect?.withinMs ?? 0) + (expect?.lookbackMs ?? 0)),
    rate.perMs,
    remember.length > 0 ? MEMORY_MS : 0,
  );
}
