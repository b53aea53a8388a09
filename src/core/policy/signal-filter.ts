import type { Signal } from "../signals/signal.ts";
import { compileExpression, type Expression } from "./expression.ts";
import { WorkBudget, WorkExceeded } from "./work-budget.ts";

/** Steps that the filter of one request may take in all, and on one signal. */
const STEPS = { request: 1_000_000, signal: 50_000 } as const;

/** Chooses signals by a condition in CEL, within a bounded number of steps. */
export class SignalFilter {
  readonly #condition: Expression;
  readonly #budget = new WorkBudget(STEPS.request, "go on with `next`");
  #evaluated = 0;
  #failed = 0;
  #firstFailure: string | undefined;

  /** @throws ExpressionError where the condition is not valid */
  constructor(condition: string) {
    this.#condition = compileExpression(condition, "condition");
  }

  /** Whether the next signal might use up the steps of the request. */
  get exhausted(): boolean {
    return this.#budget.left < STEPS.signal;
  }

  get counts(): { readonly signals: number; readonly failed: number; readonly first_failure?: string } {
    const counts = { signals: this.#evaluated, failed: this.#failed };
    return this.#firstFailure === undefined ? counts : { ...counts, first_failure: this.#firstFailure };
  }

  /** A signal on which the condition cannot be evaluated does not match, and is counted. */
  matches({ seq, signal, id, source, facts, ecosystem, received_at }: Signal): boolean {
    this.#evaluated++;
    const work = new WorkBudget(STEPS.signal, "write a condition that does less on each signal", this.#budget);
    try {
      const scope = { signal, id, source, facts, ecosystem, now: new Date(received_at), state: {}, work };
      return this.#condition(scope) === true;
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      this.#failed++;
      const steps = error instanceof WorkExceeded ? `more than ${STEPS.signal} steps: ` : "";
      this.#firstFailure ??= `signal ${seq}: ${steps}${error.message}`.slice(0, 500);
      return false;
    }
  }
}
