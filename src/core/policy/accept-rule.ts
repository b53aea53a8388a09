import type { FieldError } from "../problem/field-error.ts";
import type { Judgement } from "../queue/accept.ts";
import { admitTask, type TaskAdmission } from "../queue/task-input.ts";
import { compileExpression, type Expression, ExpressionError } from "./expression.ts";
import { WorkExceeded } from "./work-budget.ts";

/** Expressions that are kept compiled, at most. */
const MAX_COMPILED = 200;
const compiled = new Map<string, Expression>();

/** What a rule for the completion of a task reads. */
export interface RuledWork {
  readonly task: Readonly<Record<string, unknown>>;
  readonly result: unknown;
  /** `null`: the worker said nothing beside the result. */
  readonly evidence: unknown;
}

/** As `admitTask`; a rule that cannot be compiled is refused, too. @param at - JSON pointer of `input` in its document */
export function admitRuledTask(input: unknown, at = ""): TaskAdmission {
  const admission = admitTask(input, at);
  const rule = admission.ok ? admission.task.accept?.rule : undefined;
  const error = rule === undefined ? undefined : ruleError(rule, `${at}/accept/rule`);
  return error === undefined ? admission : { ok: false, errors: [error] };
}

/** Why a rule cannot be compiled; `undefined`: it can. */
export function ruleError(rule: string, pointer: string): FieldError | undefined {
  try {
    compile(rule);
    return undefined;
  } catch (error) {
    if (error instanceof ExpressionError) return { pointer, message: error.message };
    throw error;
  }
}

/** Only true accepts. An expression that cannot be evaluated, or takes too many steps, refuses and says why. */
export function judgeByRule(rule: string, { task, result, evidence }: RuledWork, nowMs: number): Judgement {
  const refused = (reason: string): Judgement => ({ accepted: false, by: "rule", reason: reason.slice(0, 1_000) });
  const now = new Date(nowMs);
  const blank = { signal: "", id: "", source: "", facts: {}, ecosystem: "", state: {} };
  try {
    const accepted = compile(rule)({ ...blank, now, task, result, evidence });
    return accepted === true ? { accepted: true, by: "rule" } : refused(`its rule is false: ${rule}`);
  } catch (error) {
    if (error instanceof ExpressionError || error instanceof WorkExceeded)
      return refused(`its rule cannot be evaluated: ${error.message}`);
    throw error;
  }
}

function compile(rule: string): Expression {
  const known = compiled.get(rule);
  if (known !== undefined) return known;
  const expression = compileExpression(rule, "condition", { names: "proof" });
  if (compiled.size >= MAX_COMPILED) compiled.clear();
  compiled.set(rule, expression);
  return expression;
}
