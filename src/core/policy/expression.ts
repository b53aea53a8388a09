import { Environment } from "@marcbachmann/cel-js";
import type { Signal } from "../signals/signal.ts";

/** Evaluates over one signal. @throws Error with the place in the expression when it cannot */
export type Expression = (signal: Pick<Signal, "signal" | "id" | "source" | "facts">) => unknown;

/** Number of elements and depth beyond which an expression is refused: what a rule costs per signal stays bounded. */
const environment = new Environment({
  unlistedVariablesAreDyn: false,
  enableOptionalTypes: true,
  homogeneousAggregateLiterals: false,
  limits: { maxAstNodes: 500, maxDepth: 32 },
})
  .registerVariable("signal", "string")
  .registerVariable("id", "string")
  .registerVariable("source", "string")
  .registerVariable("facts", "map")
  // Numbers of JSON are doubles and literals are integers; without these `facts.n + 1` has no overload. The result
  // type must stand there: it would be taken from the left side otherwise, and `2 * facts.n == 6` be false.
  .registerOperator("double + int: double", (a: number, b: bigint) => a + Number(b))
  .registerOperator("int + double: double", (a: bigint, b: number) => Number(a) + b)
  .registerOperator("double - int: double", (a: number, b: bigint) => a - Number(b))
  .registerOperator("int - double: double", (a: bigint, b: number) => Number(a) - b)
  .registerOperator("double * int: double", (a: number, b: bigint) => a * Number(b))
  .registerOperator("int * double: double", (a: bigint, b: number) => Number(a) * b)
  .registerOperator("double / int: double", (a: number, b: bigint) => a / Number(b))
  .registerOperator("int / double: double", (a: bigint, b: number) => Number(a) / b);

/**
 * Compiles an expression of the Common Expression Language (https://cel.dev).
 * @throws Error that shows the place of what is wrong
 */
export function compileExpression(source: string): Expression {
  const parsed = environment.parse(source);
  // Its regular expressions are the runtime's own and back-track: 29 characters can take ten seconds.
  if (/\bmatches\s*\(/.test(source))
    throw new Error("matches() is not available; compare, or use contains(), startsWith(), endsWith()");
  return ({ signal, id, source: from, facts }) => toJson(parsed({ signal, id, source: from, facts }));
}

/** CEL's integers are BigInts; on the wire they are numbers. */
function toJson(value: unknown): unknown {
  if (typeof value === "bigint") return Number(value);
  if (Array.isArray(value)) return value.map(toJson);
  if (value instanceof Map) return Object.fromEntries([...value].map(([key, entry]) => [String(key), toJson(entry)]));
  if (value !== null && typeof value === "object" && Object.getPrototypeOf(value) === Object.prototype) {
    return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, toJson(entry)]));
  }
  return value;
}
