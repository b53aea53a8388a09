import type { FieldError } from "../problem/field-error.ts";
import { fieldErrors } from "../problem/field-errors.ts";
import { compileRule, InvalidRule } from "./compiled-rule.ts";
import { neverBegins } from "./mute.ts";
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
  // Not an error of compiling: a rule that was stored before this was checked still decides.
  const never = (rule.mute ?? []).flatMap((window, place) =>
    neverBegins(window)
      ? [{ pointer: `${at}/mute/${place}/from`, message: "this time never comes: give a day that the calendar has" }]
      : [],
  );
  return never.length > 0 ? { ok: false, errors: never } : { ok: true, rule, expected };
}
