import type { RuleBody } from "./api.ts";
import { BUILT_IN_RULES } from "./built-in-rules.ts";
import { effectsWithPointers } from "./rule-effects.ts";

/**
 * Whether a message is sent only where its endpoint exists: the rule says so, or the rule is a built-in one, which sends to
 * an endpoint that nobody has asked for.
 */
export function isOptional(rule: string, { endpoint, optional }: { endpoint: string; optional?: boolean }): boolean {
  if (optional === true) return true;
  const builtIn = BUILT_IN_RULES.find(({ id }) => id === rule);
  return builtIn?.then?.some(({ webhook }) => webhook?.endpoint === endpoint) ?? false;
}

/** The endpoints that must exist before the rule is saved, with the JSON pointers of their names. */
export function requiredEndpoints(rule: RuleBody): [pointer: string, endpoint: string][] {
  return effectsWithPointers(rule).flatMap(([at, { webhook }]): [string, string][] =>
    webhook === undefined || isOptional(rule.id, webhook) ? [] : [[`${at}/webhook/endpoint`, webhook.endpoint]],
  );
}
