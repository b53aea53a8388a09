import type { ResolvedQuestion } from "./ask.ts";
import type { Effect } from "./effect.ts";
import type { RuleOutcome } from "./rule-outcome.ts";
import type { StateMutation } from "./state.ts";

/** The result of the conditions of one rule, before any state has changed. */
export interface EvaluationResult {
  /** `undefined`: the rule makes no decision on the signal. */
  readonly outcome: RuleOutcome["outcome"] | undefined;
  readonly reason?: string;
  readonly effects: readonly Effect[];
  readonly question?: ResolvedQuestion;
  readonly cut?: RuleOutcome["cut"];
  readonly quiet?: true;
  readonly spent?: RuleOutcome["spent"];
  readonly mutations: readonly StateMutation[];
}
