import { admitRule } from "../../src/core/policy/admit-rule.ts";
import type { Rule } from "../../src/core/policy/rule.ts";
import type { FieldError } from "../../src/core/signals/admit.ts";
import { Failure } from "../failure.ts";
import { describeErrors, readDocument } from "./document.ts";

/** A rule of a file, without the version that the edge gives it. */
export type WrittenRule = Omit<Rule, "version"> & {
  /** The version that the file says it changes; another one in force by then is a conflict. */
  readonly expected: number | undefined;
};

/**
 * Reads a file of rules: one rule, a list of them, or `rules: [...]`; YAML or JSON.
 * @throws Failure that names every place where it is wrong
 */
export function readRuleFile(file: string): WrittenRule[] {
  const document = readDocument(file);
  const { items, at } = listIn(document.value);
  const errors: FieldError[] = [];
  const rules: WrittenRule[] = [];
  for (const [place, item] of items.entries()) {
    const pointer = at(place);
    const admitted = admitRule(item, pointer);
    if (!admitted.ok) errors.push(...admitted.errors);
    else if (rules.some(({ id }) => id === admitted.rule.id)) {
      errors.push({ pointer: `${pointer}/id`, message: `there are two rules "${admitted.rule.id}"` });
    } else rules.push({ ...admitted.rule, expected: admitted.expected });
  }
  if (items.length === 0) errors.push({ pointer: "", message: "there is no rule in it" });
  if (errors.length > 0) throw new Failure(describeErrors(document, errors));
  return rules;
}

function listIn(value: unknown): { items: readonly unknown[]; at: (place: number) => string } {
  if (Array.isArray(value)) return { items: value, at: (place) => `/${place}` };
  const { rules } = (value ?? {}) as { rules?: unknown };
  if (Array.isArray(rules)) return { items: rules, at: (place) => `/rules/${place}` };
  return { items: value === null || value === undefined ? [] : [value], at: () => "" };
}

/** A rule as the engine takes it; versions are the edge's business. */
export function asRule({ expected, ...rule }: WrittenRule, version = Math.max(1, expected ?? 1)): Rule {
  return { ...rule, version };
}
