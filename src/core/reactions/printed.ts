import { JSON_LIMITS, MAX_DEPTH } from "../json/limits.ts";
import { readJsonKeeping } from "../json/read-json.ts";
import type { Facts } from "../signals/signal.ts";

/** What was printed may become a part of facts. */
const LIMITS_OF_FACTS = { ...JSON_LIMITS, depth: MAX_DEPTH - 1 };
/** What a command printed. Of a long output only the beginning and the end are known. */
export interface Printed {
  /** Whether `end` is the whole output. */
  readonly whole: boolean;
  /** The end of the output, from where nothing is left out. */
  readonly end: string;
}

/**
 * The JSON object that a command printed: as its whole output, or as its last line, because programs may print other
 * lines before their result. Of a line whose beginning is not known, nothing is read.
 *
 * @returns `undefined` when neither is a JSON object
 */
export function printedFacts({ whole, end }: Printed): Facts | undefined {
  const text = whole ? end.trim() : end.trimEnd();
  const lastLine = text.lastIndexOf("\n");
  if (!whole) return lastLine < 0 ? undefined : objectIn(text.slice(lastLine + 1));
  return objectIn(text) ?? objectIn(text.slice(lastLine + 1));
}

function objectIn(text: string): Facts | undefined {
  if (!text.startsWith("{") || !text.endsWith("}")) return undefined;
  // Text in braces is not always JSON; the caller's error says what was expected.
  const reading = readJsonKeeping(text, LIMITS_OF_FACTS);
  return reading.ok && typeof reading.value === "object" && reading.value !== null ? { ...reading.value } : undefined;
}

/** The end of an output, for people. */
export function lastOf(output: string, maxLength: number): string {
  const text = output.trim();
  return text.length <= maxLength ? text : `… ${text.slice(-maxLength)}`;
}
