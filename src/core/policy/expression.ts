import { type ASTNode, Environment, type ParseResult } from "@marcbachmann/cel-js";
import { MeteredEvaluator } from "./metered-evaluator.ts";
import { ruleBudget, type WorkBudget, WorkExceeded } from "./work-budget.ts";

/** The variables that an expression may read. */
export interface Scope {
  readonly signal: string;
  readonly id: string;
  readonly source: string;
  readonly facts: Record<string, unknown>;
  readonly ecosystem: string;
  /** When the log received the signal. */
  readonly now: Date;
  /** Values of the rule's `remember`. */
  readonly state: Record<string, unknown>;
  /** Only in `near_duplicate.else`. */
  readonly duplicate?: { readonly of: string; readonly similarity: number };
  /** Only in templates of webhook endpoints: the message, and what people are told of it. */
  readonly message?: Readonly<Record<string, unknown>>;
  readonly notice?: Readonly<Record<string, unknown>>;
  /** Only in maps of the inbox: the request. */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  /** Only in rules for the completion of a task: the task, its result, and what its worker says beside it. */
  readonly task?: Readonly<Record<string, unknown>>;
  readonly result?: unknown;
  readonly evidence?: unknown;
  /** Steps that the evaluation may take; not a variable. Default: as many as one rule may take. */
  readonly work?: WorkBudget;
}

export interface Expression {
  /**
   * @throws ExpressionError with the position in the expression where it cannot be evaluated
   * @throws WorkExceeded where it takes more steps than allowed
   */
  (scope: Scope): unknown;
  /** Paths that the expression reads, such as `facts.promotion_count`. */
  readonly reads: readonly string[];
}

/** An expression that is invalid or cannot be evaluated. The message begins with the position. */
export class ExpressionError extends Error {}

type Result = "any" | "condition";

/** What an expression costs is bounded by the steps that it may take; these limits bound the cost of reading it. */
const plain = new Environment({
  unlistedVariablesAreDyn: false,
  enableOptionalTypes: true,
  homogeneousAggregateLiterals: false,
  limits: { maxAstNodes: 500, maxDepth: 32 },
})
  .registerVariable("signal", "string")
  .registerVariable("id", "string")
  .registerVariable("source", "string")
  .registerVariable("facts", "map")
  .registerVariable("ecosystem", "string")
  .registerVariable("now", "google.protobuf.Timestamp")
  .registerVariable("state", "map")
  // Numbers of JSON are doubles and literals are integers; without these operators `facts.n + 1` has no overload. The
  // result type must be stated: the library would otherwise take the type of the left side, and `2 * facts.n == 6` would
  // be false.
  .registerOperator("double + int: double", (a: number, b: bigint) => a + Number(b))
  .registerOperator("int + double: double", (a: bigint, b: number) => Number(a) + b)
  .registerOperator("double - int: double", (a: number, b: bigint) => a - Number(b))
  .registerOperator("int - double: double", (a: bigint, b: number) => Number(a) - b)
  .registerOperator("double * int: double", (a: number, b: bigint) => a * Number(b))
  .registerOperator("int * double: double", (a: bigint, b: number) => Number(a) * b)
  .registerOperator("double / int: double", (a: number, b: bigint) => a / Number(b))
  .registerOperator("int / double: double", (a: bigint, b: number) => Number(a) / b)
  .registerOperator("double % int: double", (a: number, b: bigint) => a % Number(b))
  .registerOperator("int % double: double", (a: bigint, b: number) => Number(a) % b);
const afterDuplicate = plain.clone().registerVariable("duplicate", "map");
const ofMessage = plain.clone().registerVariable("message", "map").registerVariable("notice", "map");
const ofRequest = plain.clone().registerVariable("body", "dyn").registerVariable("headers", "map");
const ofProof = plain
  .clone()
  .registerVariable("task", "map")
  .registerVariable("result", "dyn")
  .registerVariable("evidence", "dyn");
const environments = {
  plain: { environment: plain, evaluator: new MeteredEvaluator(plain) },
  afterDuplicate: { environment: afterDuplicate, evaluator: new MeteredEvaluator(afterDuplicate) },
  message: { environment: ofMessage, evaluator: new MeteredEvaluator(ofMessage) },
  proof: { environment: ofProof, evaluator: new MeteredEvaluator(ofProof) },
  request: { environment: ofRequest, evaluator: new MeteredEvaluator(ofRequest) },
};

/**
 * Compiles an expression of the Common Expression Language (https://cel.dev).
 *
 * @param result - `condition`: refused where its type is known and is not boolean; fails where its value is not boolean
 * @throws ExpressionError with the position of the error
 */
export function compileExpression(
  source: string,
  result: Result = "any",
  { duplicate = false, names }: { duplicate?: boolean; names?: "message" | "request" | "proof" } = {},
): Expression {
  const { environment, evaluator } = environments[names ?? (duplicate ? "afterDuplicate" : "plain")];
  let parsed: ParseResult;
  try {
    parsed = environment.parse(source);
  } catch (error) {
    throw new ExpressionError(describe(error));
  }
  const reads = new Set<string>();
  // The library's regular expressions are those of the runtime and back-track: 29 characters can take ten seconds.
  walk(parsed.ast, (node) => {
    if ((node.op === "rcall" || node.op === "call") && node.args[0] === "matches") {
      throw new ExpressionError(
        `${positionOf(source, node.range.start)}matches() is not available: use ==, contains(), startsWith() or endsWith()`,
      );
    }
    const path = pathOf(node);
    if (path !== undefined) reads.add(path);
  });
  const { valid, type, error } = parsed.check();
  if (!valid) throw new ExpressionError(describe(error));
  if (result === "condition" && type !== "bool" && type !== "dyn") {
    throw new ExpressionError(`the condition gives a ${type}: it must give true or false`);
  }
  const evaluate = (scope: Scope): unknown => {
    let value: unknown;
    try {
      value = toJson(evaluator.evaluate(parsed, scope, scope.work ?? ruleBudget()));
    } catch (problem) {
      throw problem instanceof WorkExceeded ? problem : new ExpressionError(describe(problem));
    }
    if (result === "condition" && typeof value !== "boolean") {
      // The text "true" is not true. A rule that never fires, without a word, would be looked for in vain.
      throw new ExpressionError(
        `the condition ${source.slice(0, 100)} gives ${typeName(value)}: it must give true or false, so compare the value, as in facts.flag == "true"`,
      );
    }
    return value;
  };
  return Object.assign(evaluate, { reads: leaves(reads) });
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { summary, range, node } = error as { summary?: string; range?: { start: number }; node?: { input?: string } };
  return `${positionOf(node?.input, range?.start)}${summary ?? error.message}`;
}

function positionOf(source: string | undefined, at: number | undefined): string {
  if (source === undefined || at === undefined) return "";
  const before = source.slice(0, at).split("\n");
  return `line ${before.length}, column ${(before.at(-1)?.length ?? 0) + 1}: `;
}

function walk(node: ASTNode, visit: (node: ASTNode) => void): void {
  visit(node);
  const inside = (part: unknown): void => {
    if (Array.isArray(part)) for (const item of part) inside(item);
    else if (typeof part === "object" && part !== null && "op" in part) walk(part as ASTNode, visit);
  };
  inside(node.args);
}

/** The path of an access to `facts` or `state`, such as `facts.a.b`; `undefined` for other expressions. */
function pathOf(node: ASTNode): string | undefined {
  if (node.op === "id") return node.args === "facts" || node.args === "state" ? node.args : undefined;
  if (node.op !== "." && node.op !== ".?") return undefined;
  const parent = pathOf(node.args[0]);
  return parent === undefined ? undefined : `${parent}.${node.args[1]}`;
}

/** Leaves out the prefixes of other paths: with `facts.a.b`, `facts` and `facts.a` add nothing. */
function leaves(paths: ReadonlySet<string>): string[] {
  return [...paths].filter((path) => ![...paths].some((other) => other.startsWith(`${path}.`)));
}

/**
 * CEL's integers are BigInts and its times are objects; on the wire they are numbers and texts.
 *
 * @throws Error for a value that JSON does not have: written as JSON, it would become null or another number
 */
function toJson(value: unknown): unknown {
  if (typeof value === "bigint") return toNumber(value);
  if (typeof value === "number") return toFinite(value);
  if (typeof value !== "object" || value === null) return value;
  if (value instanceof Date) return value.toISOString();
  if (Array.isArray(value)) return value.map(toJson);
  if (value instanceof Map) return Object.fromEntries([...value].map(([key, entry]) => [String(key), toJson(entry)]));
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) throw new Error(notJson(value));
  return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, toJson(entry)]));
}

function toNumber(value: bigint): number {
  const number = Number(value);
  if (Number.isSafeInteger(number)) return number;
  throw new Error(
    "the result is a whole number beyond 2^53, which a number of JSON does not hold: give string(…) of it",
  );
}

function toFinite(value: number): number {
  if (Number.isFinite(value)) return value;
  if (Number.isNaN(value)) throw new Error("the result is not a number, as of 0 / 0: check the numbers first");
  throw new Error("the result is infinite, as after a division by 0: check the divisor first");
}

function notJson(value: object): string {
  const { name } = value.constructor;
  if (name === "Optional")
    return "the result is an optional value: say .orValue(…) which value it has where it is absent";
  const what = value instanceof Uint8Array ? "bytes" : `of the type ${name}`;
  return `the result is ${what}, which JSON does not have: convert it, as by string(…) or int(…)`;
}

/** The type of a value, in words. */
function typeName(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "a list";
  return typeof value === "string" ? "a text" : `a${typeof value === "object" ? "n object" : ` ${typeof value}`}`;
}
