import type { Payload } from "./span.ts";

/** Longest input or output of a span, in characters. */
const MAX_CHARS = 32_768;
const MAX_KEYS = 100;
/** Longest text of an error. */
export const MAX_ERROR_CHARS = 1_000;

/** What of a JSON text may leave; `undefined`: nothing. */
export function exported(json: string | null | undefined, payload: Payload): string | undefined {
  if (json === null || json === undefined || json === "null" || payload === "none") return undefined;
  return payload === "all" ? json.slice(0, MAX_CHARS) : keysOf(json);
}

/** The names of the fields, or the kind of the value: never a value. */
function keysOf(json: string): string {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    return JSON.stringify("text");
  }
  if (typeof value !== "object" || value === null) return JSON.stringify(typeof value);
  if (Array.isArray(value)) return JSON.stringify(`list of ${value.length}`);
  return JSON.stringify(Object.keys(value).slice(0, MAX_KEYS)).slice(0, MAX_CHARS);
}
