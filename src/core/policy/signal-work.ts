import type { CompiledRule } from "./compiled-rule.ts";
import { ruleBudget, signalBudget, type WorkBudget } from "./work-budget.ts";

/** Steps that stand for what a signal, and each rule on it, cost beside the expressions. */
const SIGNAL_STEPS = 10;
const RULE_STEPS = 20;

/** The steps that rules take on one signal. */
export class SignalWork {
  readonly #all = signalBudget();
  readonly #rules = new Map<CompiledRule, WorkBudget>();
  #blamed = false;

  /** What a rule may take on this signal, in all of its expressions together. */
  budgetOf(rule: CompiledRule): WorkBudget {
    let budget = this.#rules.get(rule);
    if (budget === undefined) {
      budget = ruleBudget(this.#all);
      this.#rules.set(rule, budget);
    }
    return budget;
  }

  /** All steps so far, with those that stand for the rest of the work. */
  get steps(): number {
    return SIGNAL_STEPS + this.#all.spent + RULE_STEPS * this.#rules.size;
  }

  /**
   * Which rule is to blame because `rule` could not take more steps: the rule itself, or, where the signal has no steps
   * left, the one that took most. The next signal then has steps for the others.
   *
   * @returns `undefined`: that one has been blamed already
   */
  culprit(rule: CompiledRule): CompiledRule | undefined {
    const own = this.budgetOf(rule);
    if (own.spent >= own.steps) return rule;
    if (this.#blamed) return undefined;
    this.#blamed = true;
    return [...this.#rules].reduce((most, one) => (one[1].spent > most[1].spent ? one : most))[0];
  }
}
