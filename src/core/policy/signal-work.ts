import type { CompiledRule } from "./compiled-rule.ts";
import { ruleBudget, signalBudget, type WorkBudget } from "./work-budget.ts";

/** Steps that stand for what a signal, and each rule on it, cost beside the expressions. */
const SIGNAL_STEPS = 10;
const RULE_STEPS = 20;

/** The steps that rules take on one signal. */
export class SignalWork {
  readonly #all = signalBudget();
  /** Most signals concern one rule, for which no map is made. */
  #first: { readonly rule: CompiledRule; readonly budget: WorkBudget } | undefined;
  #others: Map<CompiledRule, WorkBudget> | undefined;
  #blamed = false;

  /** What a rule may take on this signal, in all of its expressions together. */
  budgetOf(rule: CompiledRule): WorkBudget {
    if (this.#first?.rule === rule) return this.#first.budget;
    const known = this.#others?.get(rule);
    if (known !== undefined) return known;
    const budget = ruleBudget(this.#all);
    if (this.#first === undefined) this.#first = { rule, budget };
    else {
      this.#others ??= new Map();
      this.#others.set(rule, budget);
    }
    return budget;
  }

  /** All steps so far, with those that stand for the rest of the work. */
  get steps(): number {
    const rules = (this.#first === undefined ? 0 : 1) + (this.#others?.size ?? 0);
    return SIGNAL_STEPS + this.#all.spent + RULE_STEPS * rules;
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
    const all = [...(this.#first === undefined ? [] : [this.#first]), ...this.#otherRules()];
    return all.reduce((most, one) => (one.budget.spent > most.budget.spent ? one : most)).rule;
  }

  #otherRules() {
    return [...(this.#others ?? [])].map(([rule, budget]) => ({ rule, budget }));
  }
}
