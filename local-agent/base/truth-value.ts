const TRUE = new Set(["true", "t", "yes", "y", "on", "1", "ok", "success", "succeeded", "passed", "pass"]);
const FALSE = new Set(["false", "f", "no", "n", "off", "0", "error", "failure", "failed", "fail"]);

/**
 * Reads a truth value as programs spell it: JSON's own, 1 and 0, and the usual words in any case.
 *
 * @returns `undefined` for anything else: a value is never guessed
 */
export function truthOf(value: unknown): boolean | undefined {
  if (typeof value === "boolean") return value;
  if (value === 1) return true;
  if (value === 0) return false;
  if (typeof value !== "string") return undefined;
  const word = value.trim().toLowerCase();
  if (TRUE.has(word)) return true;
  return FALSE.has(word) ? false : undefined;
}
