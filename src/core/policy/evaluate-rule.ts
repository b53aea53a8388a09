import type { Writable } from "../collections/writable.ts";
import type { CompiledRule } from "./compiled-rule.ts";
import { type EvaluationContext, type RecordedOutcome, scopeWith } from "./evaluation-context.ts";
import type { EvaluationResult } from "./evaluation-result.ts";
import type { Scope } from "./expression.ts";
import { keyOf } from "./key.ts";
import { readPaths } from "./read-paths.ts";
import { valuesOf } from "./resolve-effects.ts";
import { RuleEvaluation } from "./rule-evaluation.ts";
import type { RuleOutcome } from "./rule-outcome.ts";
import type { RuleState } from "./rule-state.ts";
import type { StateBodies, StateRow } from "./state.ts";
import { type WorkBudget, WorkExceeded } from "./work-budget.ts";

/** Values of `remember` are forgotten after so long without a signal, in milliseconds. */
export const MEMORY_MS = 7 * 86_400_000;
const MEMORY_CHARS = 4_096;

/**
 * Evaluates one rule on one signal and writes what the rule keeps into `state`. A rule that throws has failed as a
 * whole and keeps nothing.
 *
 * @param work - steps that the rule may take
 * @param recorded - what the rule is known to have decided: its state then follows that, whatever it would decide now
 * @returns `undefined` where the rule makes no decision on the signal
 */
export function evaluateRule(
  compiled: CompiledRule,
  context: EvaluationContext,
  state: RuleState,
  work: WorkBudget,
  recorded?: RecordedOutcome,
): RuleOutcome | undefined {
  if (recorded === "failed") return undefined;
  let scope = scopeWith(context.scope, work);
  let result: EvaluationResult;
  try {
    const memory = memoryOf(compiled, scope, state);
    if (memory !== undefined) scope = { ...scope, state: memory.values };
    const { signal, origin, nowMs, party } = context;
    const evaluation = new RuleEvaluation(compiled, { signal, origin, scope, nowMs, party }, state);
    result = recorded === undefined ? evaluation.evaluate() : evaluation.replayOutcome(recorded);
    // `remember` reads the memory as it was, and is resolved before anything is written: where it throws, the rule has
    // failed as a whole.
    const remembered = memory && remember(compiled, memory.key, scope, context.nowMs);
    for (const mutation of result.mutations) state.apply(mutation);
    if (remembered !== undefined) state.set(remembered);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    const exceeded = error instanceof WorkExceeded ? ({ cut: "work" } as const) : {};
    result = { outcome: "failed", reason, effects: [], mutations: [], ...exceeded };
  }
  if (result.outcome === undefined) return undefined;
  const decided: Writable<RuleOutcome> = {
    rule: compiled.rule,
    outcome: result.outcome,
    effects: result.effects,
    origin: context.origin,
    atMs: context.nowMs,
    by: "signal",
    values: readPaths(compiled.reads, scope),
  };
  // Most decisions have none of these: parts that are spread into the literal would make each of them slow.
  if (result.reason !== undefined) decided.reason = result.reason;
  if (result.question !== undefined) decided.question = result.question;
  if (result.cut !== undefined) decided.cut = result.cut;
  if (result.quiet !== undefined) decided.quiet = result.quiet;
  if (result.spent !== undefined) decided.spent = result.spent;
  return decided;
}

interface Memory {
  readonly key: string;
  readonly values: StateBodies["memory"]["values"];
}

function memoryOf(compiled: CompiledRule, scope: Scope, state: RuleState): Memory | undefined {
  if (compiled.remember.length === 0) return undefined;
  const key = keyOf(compiled.rememberBy, scope);
  return { key, values: state.get("memory", compiled.rule.id, key)?.values ?? {} };
}

function remember({ rule, remember: fields }: CompiledRule, key: string, scope: Scope, nowMs: number): StateRow {
  const values = valuesOf(fields, scope);
  if (JSON.stringify(values).length > MEMORY_CHARS) {
    throw new Error(
      `the values of remember take more than ${MEMORY_CHARS} characters: remember fewer, or shorter ones`,
    );
  }
  return { kind: "memory", rule: rule.id, key, body: { values, untilMs: nowMs + MEMORY_MS } };
}
