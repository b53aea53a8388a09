import type { Facts } from "../signals/signal.ts";

/**
 * The JSON object that a command printed: as its whole output, or as its last line, because programs may print other
 * lines before their result.
 *
 * @returns `undefined` when neither is a JSON object
 */
export function printedFacts(output: string): Facts | undefined {
  const text = output.trim();
  return objectIn(text) ?? objectIn(text.slice(text.lastIndexOf("\n") + 1));
}

function objectIn(text: string): Facts | undefined {
  if (!text.startsWith("{") || !text.endsWith("}")) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? { ...value } : undefined;
  } catch {
    // Text in braces is not always JSON; the caller's error says what was expected.
    return undefined;
  }
}

/** The end of an output, for people. */
export function lastOf(output: string, maxLength: number): string {
  const text = output.trim();
  return text.length <= maxLength ? text : `… ${text.slice(-maxLength)}`;
}
