import type { FieldError } from "../problem/field-error.ts";
import { fieldErrors } from "../problem/field-errors.ts";
import { compileRule, InvalidRule } from "./compiled-rule.ts";
import { type Rule, RuleInput } from "./rule.ts";

export type RuleAdmission =
  | { readonly ok: true; readonly rule: Omit<Rule, "version">; readonly expected: number | undefined }
  | { readonly ok: false; readonly errors: readonly FieldError[] };

/**
 * Admits a rule, or names everything that is wrong with it: its form, its expressions with the position in them, its
 * times.
 *
 * @param at - JSON pointer of `input` in the document that carried the rule
 */
export function admitRule(input: unknown, at = ""): RuleAdmission {
  const parsed = RuleInput.safeParse(input);
  if (!parsed.success) return { ok: false, errors: fieldErrors(parsed.error.issues, at, RuleInput) };
  const { version: expected, ...rule } = parsed.data;
  try {
    compileRule({ ...rule, version: 1 });
  } catch (error) {
    if (!(error instanceof InvalidRule)) throw error;
    return {
      ok: false,
      errors: error.errors.map(({ pointer, message }) => ({ pointer: `${at}${pointer}`, message })),
    };
  }
  return { ok: true, rule, expected };
}
