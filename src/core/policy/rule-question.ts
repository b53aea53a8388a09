import type { Effect } from "./effect.ts";
import type { OpenQuestion, SettledQuestion } from "./question-tracker.ts";
import type { Origin } from "./state.ts";

/** An open question of a rule. Its id is that of the decision. */
export interface RuleQuestion extends OpenQuestion<Effect> {
  readonly rule: string;
  readonly origin: Origin;
}
export type SettledRuleQuestion = SettledQuestion<Effect, RuleQuestion>;
