import { BUILT_IN_RULES } from "./built-in-rules.ts";
import { watchedPatterns } from "./rule.ts";

/** Signals that policy receives before it has subscribed to others: those of the built-in rules. */
export const POLICY_SIGNALS: readonly string[] = watchedPatterns(BUILT_IN_RULES);
