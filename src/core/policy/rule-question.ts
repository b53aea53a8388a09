import type { WantedContext } from "./ask-context.ts";
import type { Effect } from "./effect.ts";
import type { GatheredContext } from "./gathered-context.ts";
import type { OpenQuestion, SettledQuestion } from "./question-tracker.ts";
import type { Origin } from "./state.ts";

/** An open question of a rule. Its id is that of the decision. */
export interface RuleQuestion extends OpenQuestion<Effect> {
  readonly rule: string;
  readonly origin: Origin;
  /** What the model is told beside the prompt; absent: nothing. */
  readonly wanted?: WantedContext;
  /** What was gathered; absent until then. Gathered once: a question that is asked again after a crash is the same. */
  readonly context?: GatheredContext;
}
export type SettledRuleQuestion = SettledQuestion<Effect, RuleQuestion>;
