import type { Expression, Scope } from "./expression.ts";

/** The maximum length of a key. */
export const KEY_CHARS = 512;

/**
 * The key under which a rule counts, remembers or waits for a signal: the value of `by`, as text. Without `by` all
 * signals share one key.
 */
export function keyOf(by: Expression | undefined, scope: Scope): string {
  if (by === undefined) return "";
  const value = by(scope);
  const key = typeof value === "string" ? value : JSON.stringify(value);
  // A key that was cut short could equal another key.
  if (key.length > KEY_CHARS) throw new Error(`the value of by has ${key.length} characters: it may have ${KEY_CHARS}`);
  return key;
}
