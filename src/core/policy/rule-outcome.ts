import type { Asked } from "./ask.ts";
import type { Effect } from "./effect.ts";
import type { Rule } from "./rule.ts";
import type { Origin, StateChange } from "./state.ts";

/** What a rule made of a signal, or of one that did not come. */
export interface RuleOutcome {
  readonly rule: Rule;
  readonly outcome: "fired" | "suppressed" | "failed";
  /** What held it back, or what went wrong. */
  readonly reason?: string;
  /** What the rule read, by path. */
  readonly values: Record<string, unknown>;
  /** What is to be done. A rule that was held back may do something instead. */
  readonly effects: readonly Effect[];
  /** A model is to be asked what else is to be done. */
  readonly asked?: Asked;
  /** The signal that was decided on; of something expected that did not come, the one that began it. */
  readonly origin: Origin;
  /** The time by which it was decided, in milliseconds since the epoch. */
  readonly atMs: number;
  /** `time`: what was expected did not come. */
  readonly by: "signal" | "time";
  /** The loop guard ended it: the chain of causes is too long, or the rule fires too often. */
  readonly cut?: "depth" | "rate";
  /** Not worth a dead letter: there are enough that say the same. */
  readonly quiet?: true;
}

/** What a signal, or the passing of time, comes to. */
export interface Evaluation {
  readonly verdicts: readonly RuleOutcome[];
  /** Rows to be written together with the effects. */
  readonly changes: readonly StateChange[];
}
