import type { Expression, Scope } from "./expression.ts";

const KEY_CHARS = 512;

/** The account that a signal belongs to. Without an expression there is one for all. */
export function keyOf(by: Expression | undefined, scope: Scope): string {
  if (by === undefined) return "";
  const value = by(scope);
  const key = typeof value === "string" ? value : JSON.stringify(value);
  // Cut short it could be another's.
  if (key.length > KEY_CHARS) throw new Error(`what a rule goes by may have ${KEY_CHARS} characters`);
  return key;
}
