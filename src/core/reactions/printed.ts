import type { Facts } from "../signals/signal.ts";

/**
 * What a command printed as JSON: its whole output, or its last line, where that is an object. Programs say other
 * things before their result.
 *
 * @returns `undefined` where neither is one
 */
export function printedFacts(output: string): Facts | undefined {
  const text = output.trim();
  return objectIn(text) ?? objectIn(text.slice(text.lastIndexOf("\n") + 1));
}

function objectIn(text: string): Facts | undefined {
  if (!text.startsWith("{") || !text.endsWith("}")) return undefined;
  try {
    return JSON.parse(text) as Facts;
  } catch {
    // Braces alone make no JSON; the caller says what was expected.
    return undefined;
  }
}

/** End of an output, for people. */
export function lastOf(output: string, maxLength: number): string {
  const text = output.trim();
  return text.length <= maxLength ? text : `… ${text.slice(-maxLength)}`;
}
