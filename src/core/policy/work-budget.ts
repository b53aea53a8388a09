/**
 * How much work expressions may be. A step is about the evaluation of one element of an expression: a tenth of a
 * microsecond to one. Steps are counted and not time, so that the same rule on the same signal always ends the same way.
 */
export const STEPS = {
  /** All expressions of one rule on one signal, and one expression that belongs to no rule. */
  rule: 100_000,
  /** All rules on one signal. */
  signal: 500_000,
} as const;

/** An expression, or all of a rule's, took more steps than allowed. */
export class WorkExceeded extends Error {
  /** The budget that was used up. */
  readonly budget: WorkBudget;

  constructor(budget: WorkBudget) {
    super(`more than ${budget.steps} steps: ${budget.advice}`);
    this.budget = budget;
  }
}

/** Steps that may still be taken. */
export class WorkBudget {
  readonly steps: number;
  readonly advice: string;
  readonly #within: WorkBudget | undefined;
  #spent = 0;

  /** @param within - a larger budget, of which every step is taken too */
  constructor(steps: number, advice: string, within?: WorkBudget) {
    this.steps = steps;
    this.advice = advice;
    this.#within = within;
  }

  get spent(): number {
    return this.#spent;
  }

  get left(): number {
    const left = Math.max(0, this.steps - this.#spent);
    return this.#within === undefined ? left : Math.min(left, this.#within.left);
  }

  spend(steps: number): void {
    this.#spent += steps;
    this.#within?.spend(steps);
  }

  /** The smallest budget that has no steps left, this one or one around it. */
  get exhausted(): WorkBudget {
    return this.#within === undefined || this.#spent >= this.steps ? this : this.#within.exhausted;
  }
}

const RULE_ADVICE =
  "iterate over shorter lists, nest fewer all(), exists(), map() and filter(), or compare shorter texts";

export function ruleBudget(within?: WorkBudget): WorkBudget {
  return new WorkBudget(STEPS.rule, RULE_ADVICE, within);
}

export function signalBudget(): WorkBudget {
  return new WorkBudget(STEPS.signal, "the rules together took all steps of one signal");
}
