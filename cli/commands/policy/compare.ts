import type { Rule } from "../../../src/core/policy/rule.ts";
import type { DecisionDifference, SimulatedDecision } from "../../../src/core/policy/simulated.ts";
import { cellText } from "../../output.ts";
import { asRule, type WrittenRule } from "./rule-file.ts";

/** How a rule of a file differs from the rule in force. */
export interface RuleDifference {
  readonly id: string;
  readonly change: "new" | "changed" | "same";
  /** The version in force; `undefined`: the rule is new. */
  readonly version: number | undefined;
  readonly fields: readonly { readonly field: string; readonly before: unknown; readonly after: unknown }[];
}

/** Compares the rules of a file with those in force. Rules that the file does not name stay as they are. */
export function compareRules(written: readonly WrittenRule[], deployed: readonly Rule[]): RuleDifference[] {
  return written.map((rule) => {
    const before = deployed.find(({ id }) => id === rule.id);
    const fields = before === undefined ? [] : changedFields(before, asRule(rule));
    const change = before === undefined ? "new" : fields.length > 0 ? "changed" : "same";
    return { id: rule.id, change, version: before?.version, fields };
  });
}

/** The rules that would be in force after applying a file. */
export function withWritten(written: readonly WrittenRule[], deployed: readonly Rule[]): Rule[] {
  const rules = new Map(deployed.map((rule) => [rule.id, rule]));
  for (const rule of written) rules.set(rule.id, asRule(rule, (rules.get(rule.id)?.version ?? 0) + 1));
  return [...rules.values()];
}

function changedFields(before: Rule, after: Rule): RuleDifference["fields"] {
  const fields = new Set([...Object.keys(before), ...Object.keys(after)] as (keyof Rule)[]);
  // Fields that the edge adds are no part of the rule.
  for (const added of ["version", "built_in", "modified", "changed_at", "changed_by", "changed_by_id", "quarantined"])
    fields.delete(added as keyof Rule);
  return [...fields].flatMap((field) =>
    sortedJson(before[field]) === sortedJson(after[field])
      ? []
      : [{ field, before: before[field], after: after[field] }],
  );
}

/** JSON with sorted fields: the order of the fields is no difference. */
function sortedJson(value: unknown): string {
  return (
    JSON.stringify(value, (_, part: unknown) =>
      typeof part === "object" && part !== null && !Array.isArray(part)
        ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
        : part,
    ) ?? ""
  );
}

export function describeRuleDifferences(differences: readonly RuleDifference[]): string[] {
  return differences.flatMap(({ id, change, version, fields }) => {
    if (change === "same") return [`  ${id}  as in force (version ${version})`];
    if (change === "new") return [`+ ${id}  new`];
    return [
      `~ ${id}  version ${version} → ${(version ?? 0) + 1}`,
      ...fields.flatMap(({ field, before, after }) => [
        ...(before === undefined ? [] : [`    - ${field}: ${cellText(before)}`]),
        ...(after === undefined ? [] : [`    + ${field}: ${cellText(after)}`]),
      ]),
    ];
  });
}

export function describeDecisionDifferences(differences: readonly DecisionDifference[]): string[] {
  return differences.flatMap(({ rule, signal, at, before, after }) => [
    `${at}  ${rule} on ${signal.signal} ${signal.id}`,
    ...(before === undefined ? [] : [`    - ${describeDecision(before)}`]),
    ...(after === undefined ? [] : [`    + ${describeDecision(after)}`]),
  ]);
}

export function describeDecision({ outcome, reason, effects }: SimulatedDecision): string {
  const caused = effects.map(({ kind, ...fields }) => `${kind} ${cellText(fields)}`).join(", ");
  return [outcome, ...(reason === undefined ? [] : [`(${cellText(reason)})`]), ...(caused === "" ? [] : [caused])].join(
    " ",
  );
}
