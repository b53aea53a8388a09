import { admitRule } from "../../../src/core/policy/admit-rule.ts";
import type { Rule } from "../../../src/core/policy/rule.ts";
import type { FieldError } from "../../../src/core/problem/field-error.ts";
import { Failure } from "../../failure.ts";
import { describeErrors, readDocuments } from "./document.ts";

/** A rule of a file. The edge assigns its version. */
export type WrittenRule = Omit<Rule, "version"> & {
  /** The version that the file changes, where it names one: if another one is in force, the edit is refused. */
  readonly expected: number | undefined;
};

/**
 * Reads a file of rules: one rule, a list of them, `rules:` or `policies:` with a list, or several such documents; YAML
 * or JSON. `-` is the standard input.
 *
 * @throws Failure that names each error with its place in the file
 */
export async function readRuleFile(file: string): Promise<WrittenRule[]> {
  const messages: string[] = [];
  const rules: WrittenRule[] = [];
  for (const document of await readDocuments(file)) {
    const errors: FieldError[] = [];
    for (const { item, pointer } of rulesIn(document.value)) {
      const admitted = admitRule(item, pointer);
      if (!admitted.ok) errors.push(...admitted.errors);
      else if (rules.some(({ id }) => id === admitted.rule.id)) {
        errors.push({ pointer: `${pointer}/id`, message: `another rule of the file has the id "${admitted.rule.id}"` });
      } else rules.push({ ...admitted.rule, expected: admitted.expected });
    }
    if (errors.length > 0) messages.push(describeErrors(document, errors));
  }
  if (messages.length > 0) throw new Failure(messages.join("\n"));
  if (rules.length === 0) throw new Failure(`${file === "-" ? "standard input" : file}: the file holds no rule`);
  return rules;
}

function rulesIn(value: unknown): { item: unknown; pointer: string }[] {
  if (value === null || value === undefined) return [];
  const field = ["rules", "policies"].find((name) => typeof value === "object" && name in value);
  const content: unknown = field === undefined ? value : (value as Record<string, unknown>)[field];
  const at = field === undefined ? "" : `/${field}`;
  if (!Array.isArray(content)) return [{ item: content, pointer: at }];
  return content.map((item: unknown, index) => ({ item, pointer: `${at}/${index}` }));
}

/** A rule in the form of the API. @param version - the version that it replaces; 0: none; `undefined`: any */
export function bodyOf({ expected, ...rule }: WrittenRule, version?: number) {
  const replaced = expected ?? version;
  return replaced === undefined ? rule : { ...rule, version: replaced };
}

/** A rule in the form of the engine. The version has no influence on its decisions. */
export function asRule({ expected, ...rule }: WrittenRule, version = Math.max(1, expected ?? 1)): Rule {
  return { ...rule, version };
}
