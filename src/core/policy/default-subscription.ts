import { BUILT_IN_RULES } from "./built-in-rules.ts";
import { watchedPatterns } from "./rule.ts";

/** Signals that the policy projection receives before its first subscription: those of the built-in rules. */
export const POLICY_SIGNALS: readonly string[] = watchedPatterns(BUILT_IN_RULES);
