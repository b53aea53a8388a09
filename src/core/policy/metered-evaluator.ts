import type { ASTNode, Environment, ParseResult } from "@marcbachmann/cel-js";
import { type WorkBudget, WorkExceeded } from "./work-budget.ts";

/** Elements of values, and characters of texts, whose handling takes as long as one step. */
const ELEMENTS_A_STEP = 8;
const CHARS_A_STEP = 512;
/** Elements of a new list that take as long to make as one step. */
const NEW_ELEMENTS_A_STEP = 4;
/** An error that `||`, `&&`, `all` or `exists` absorb. The library makes a message with the place for each. */
const ERROR_STEPS = 50;
/** A part of a time in a time zone: the runtime makes a formatter for each. */
const TIME_ZONE_STEPS = 1_000;
/** No fact is longer. Without a limit, a text that doubles itself soon fills the memory. */
const MAX_CHARS = 1_048_576;

/** The part of the library's evaluator through which every evaluation of an element passes. */
interface Evaluator {
  run(node: ASTNode, context: unknown): unknown;
  tryEval(node: ASTNode, context: unknown): unknown;
}

/** Thrown through the library. One object for all: making an error costs as much as many steps. */
const EXHAUSTED = new Error("the steps are used up");

/** What an operator or a function does with its operands, as far as the cost depends on them. */
interface Consumer {
  readonly name: string;
  /** Of texts so far: how long a search of one in the others can take. */
  product: number;
}

/**
 * Counts the steps of an environment's evaluations and ends those that take too many. The language has no recursion, but
 * nested comprehensions multiply, and a value can be bound twice inside of what is bound twice.
 *
 * The library offers no such limit. Every element is evaluated through one method of its evaluator, which is replaced
 * here; the constructor fails where a version of the library works otherwise. Evaluation is synchronous, so one count for
 * each environment is enough.
 */
export class MeteredEvaluator {
  #left = 0;
  #consumer: Consumer | undefined;
  /** Elements in a value, at every depth. Shared parts count each time: that is what walking over them costs. */
  /** Made where a value has parts: most expressions compare single ones. */
  #weights: WeakMap<object, number> | undefined;

  /** @throws Error where the evaluator is not as expected */
  constructor(environment: Environment) {
    const evaluator = evaluatorOf(environment);
    const run = evaluator.run.bind(evaluator);
    evaluator.run = (node, context) => this.#run(run, node, context);
    evaluator.tryEval = (node, context) => {
      try {
        return evaluator.run(node, context);
      } catch (error) {
        if (error === EXHAUSTED) throw error;
        this.#take(ERROR_STEPS);
        return error;
      }
    };
  }

  /**
   * Evaluates an expression within the steps that a budget has left.
   *
   * @throws WorkExceeded where they are not enough
   */
  evaluate(expression: ParseResult, variables: object, budget: WorkBudget): unknown {
    const steps = budget.left;
    this.#left = steps - 1;
    this.#weights = undefined;
    // The library evaluates the outermost element itself.
    const consumer = consumerOf(expression.ast);
    this.#consumer = consumer;
    try {
      const value: unknown = expression(variables);
      if (consumer !== undefined) this.#made(value);
      // The caller walks over the whole value.
      this.#take(this.#weightOf(value) / ELEMENTS_A_STEP);
      return value;
    } catch (error) {
      if (error !== EXHAUSTED) throw error;
      this.#left = 0;
      budget.spend(steps);
      throw new WorkExceeded(budget.exhausted);
    } finally {
      if (this.#left > 0) budget.spend(Math.ceil(steps - this.#left));
    }
  }

  #run(run: Evaluator["run"], node: ASTNode, context: unknown): unknown {
    this.#take(1);
    const outer = this.#consumer;
    const consumer = consumerOf(node);
    this.#consumer = consumer;
    let value: unknown;
    try {
      value = run(node, context);
    } finally {
      this.#consumer = outer;
    }
    if (consumer !== undefined) this.#made(value);
    if (outer !== undefined) this.#consume(outer, value);
    return value;
  }

  #take(steps: number): void {
    this.#left -= steps;
    if (!(this.#left >= 0)) throw EXHAUSTED;
  }

  /** An operator or a function made this value. */
  #made(value: unknown): void {
    if (typeof value === "string") {
      if (value.length > MAX_CHARS) this.#take(Number.POSITIVE_INFINITY);
      this.#take(value.length / CHARS_A_STEP);
    } else if (Array.isArray(value)) this.#take(value.length / NEW_ELEMENTS_A_STEP);
  }

  /** An operator or a function is given this value. */
  #consume(consumer: Consumer, value: unknown): void {
    if (typeof value === "string") {
      this.#take(value.length / CHARS_A_STEP);
      if (!SEARCHES.has(consumer.name)) return;
      if (consumer.name.startsWith("get")) this.#take(TIME_ZONE_STEPS);
      // The runtime's search for one text in another takes, at worst, the product of their lengths.
      if (consumer.product > 0) this.#take((consumer.product * Math.max(1, value.length)) / CHARS_A_STEP);
      consumer.product = Math.max(1, value.length);
    } else if (typeof value === "object" && value !== null) {
      if (MACROS.has(consumer.name)) {
        // A map is iterated over its keys, which are listed first.
        if (!Array.isArray(value)) this.#take(this.#weightOf(value) / ELEMENTS_A_STEP);
      } else if (!(consumer.name === "size" || (consumer.name === "in" && !Array.isArray(value)))) {
        this.#take(this.#weightOf(value) / ELEMENTS_A_STEP);
      }
    }
  }

  /** Elements, and characters in the same measure. The walk itself is linear: it visits a shared part once. */
  #weightOf(value: unknown): number {
    if (typeof value === "string") return 1 + (value.length * ELEMENTS_A_STEP) / CHARS_A_STEP;
    if (typeof value !== "object" || value === null) return 1;
    this.#weights ??= new WeakMap();
    const known = this.#weights.get(value);
    if (known !== undefined) return known;
    let weight = 1;
    const parts = Array.isArray(value) ? value : value instanceof Map ? value.values() : Object.values(value);
    for (const part of parts) weight += this.#weightOf(part);
    this.#weights.set(value, weight);
    return weight;
  }
}

const OPERATORS = new Set(["==", "!=", "in", "+", "<", "<=", ">", ">="]);
/** Functions that iterate; what they cost is counted element by element. */
const MACROS = new Set(["all", "exists", "exists_one", "map", "filter"]);
/** Functions that only look at one place, or pass values on. */
const FREE = new Set(["has", "bind", "or", "orValue", "hasValue", "value", "of", "none", "dyn", "type"]);
const SEARCHES = new Set([
  ...["contains", "indexOf", "lastIndexOf", "split"],
  ...["getDate", "getDayOfMonth", "getDayOfWeek", "getDayOfYear", "getFullYear", "getHours"],
  ...["getMilliseconds", "getMinutes", "getMonth", "getSeconds"],
]);

function consumerOf({ op, args }: ASTNode): Consumer | undefined {
  if (op === "call" || op === "rcall") {
    const [name] = args;
    return FREE.has(name) ? undefined : { name, product: 0 };
  }
  return OPERATORS.has(op) ? { name: op, product: 0 } : undefined;
}

/** The evaluator of an environment, as the library hands it to the elements of an expression. */
function evaluatorOf(environment: Environment): Evaluator {
  let found: unknown;
  const probe = environment.parse("true");
  const evaluate = (evaluator: unknown): boolean => {
    found = evaluator;
    return true;
  };
  Object.assign(probe.ast, { evaluate });
  probe({});
  if (isEvaluator(found)) return found;
  throw new Error("the steps of CEL expressions cannot be counted: this version of the library evaluates otherwise");
}

function isEvaluator(value: unknown): value is Evaluator {
  return (
    typeof value === "object" &&
    value !== null &&
    typeof (value as Partial<Evaluator>).run === "function" &&
    typeof (value as Partial<Evaluator>).tryEval === "function"
  );
}
