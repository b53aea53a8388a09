import type * as z from "zod";
import { admitRule } from "../../../src/core/policy/admit-rule.ts";
import type { PolicyEngine } from "../../../src/core/policy/engine.ts";
import type { Rule, RuleInput } from "../../../src/core/policy/rule.ts";
import type { Signal } from "../../../src/core/signals/signal.ts";

export const T0 = Date.UTC(2026, 0, 1);
let seq = 0;

export const aSignal = (signal: string, facts: Record<string, unknown> = {}, afterMs = 0, depth = 0): Signal => {
  seq++;
  const received_at = new Date(T0 + afterMs).toISOString();
  return { seq, id: `s${seq}`, signal, source: "t", ecosystem: "e", timestamp: received_at, received_at, facts, depth };
};

/** A rule in force, made from the form in which people write rules. */
export function aRule(rule: Partial<z.input<typeof RuleInput>> = {}): Rule {
  const then = rule.expect === undefined ? { then: [{ emit: { signal: "Q_DONE", facts: {} } }] } : {};
  const admitted = admitRule({ id: "r", when: "Q_A", ...then, ...rule });
  if (!admitted.ok) throw new Error(JSON.stringify(admitted.errors));
  return { ...admitted.rule, version: 1 };
}

/** The outcome of the first decision on each signal. */
export const outcomes = (engine: PolicyEngine, ...signals: Signal[]) =>
  signals.map((signal) => engine.evaluate(signal).outcomes[0]?.outcome);
/** The reason of the first decision on each signal. */
export const reasons = (engine: PolicyEngine, ...signals: Signal[]) =>
  signals.map((signal) => engine.evaluate(signal).outcomes[0]?.reason);
