import type { RuleDocument } from "../../src/client/policy.ts";
import type { Policy, PolicyVersion } from "../../src/core/policy/api.ts";

/** What the edge adds to a rule, and nobody writes. */
const ADDED = new Set(["version", "built_in", "modified", "changed_at", "changed_by", "changed_by_id", "quarantined"]);

/** A rule as somebody edits it. */
export function ruleText(rule: Policy | PolicyVersion["rule"]): string {
  if (rule === null) return "";
  return JSON.stringify(Object.fromEntries(Object.entries(rule).filter(([name]) => !ADDED.has(name))), null, 2);
}

export type ReadRule = { readonly rule: RuleDocument } | { readonly problem: string };

/** Reads what somebody wrote. The edge checks the fields. */
export function readRule(text: string): ReadRule {
  try {
    const rule: unknown = JSON.parse(text);
    if (typeof rule !== "object" || rule === null || Array.isArray(rule))
      return { problem: "A rule is a JSON object." };
    return { rule: Object.fromEntries(Object.entries(rule)) };
  } catch (error) {
    return { problem: `This is not JSON: ${error instanceof Error ? error.message : String(error)}` };
  }
}
