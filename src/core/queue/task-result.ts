import { LIMITS, utf8Bytes } from "../signals/limits.ts";

/** The result of a task as JSON, or why no queue can ever keep it: another attempt would give the same result. */
export type ResultJson = { readonly json: string } | { readonly error: string };

/** Bytes of what a worker says beside the result. */
const MAX_EVIDENCE = 16_384;

/** What a worker says beside the result as JSON; `null`: nothing. */
export function evidenceJson(value: unknown): { readonly json: string | null } | { readonly error: string } {
  if (value === undefined || value === null) return { json: null };
  const kept = resultJson(value);
  if ("error" in kept) return { error: `evidence: ${kept.error}` };
  const bytes = utf8Bytes(kept.json);
  if (bytes <= MAX_EVIDENCE) return kept;
  return { error: `evidence too large: ${bytes} bytes of ${MAX_EVIDENCE}: give references to the data instead` };
}

/** @param value - what a handler returned, or what a worker sent */
export function resultJson(value: unknown): ResultJson {
  let json: string | undefined;
  try {
    json = JSON.stringify(value ?? null);
  } catch (error) {
    // JSON.stringify recurses, and a caller can send 30,000 opening brackets.
    if (error instanceof RangeError) return { error: "result nested too deeply: return a flatter value" };
    return { error: `result is not JSON: ${error instanceof Error ? error.message : String(error)}`.slice(0, 1_000) };
  }
  // Functions and symbols have no JSON.
  if (json === undefined) return { error: `result is not JSON: a ${typeof value} cannot be sent` };
  // One UTF-16 unit takes three bytes at most, so the length alone shows that most results are small enough.
  const bytes = json.length * 3 <= LIMITS.signalBytes ? json.length : utf8Bytes(json);
  if (bytes <= LIMITS.signalBytes) return { json };
  return { error: `result too large: ${bytes} bytes of ${LIMITS.signalBytes}: return a reference to the data instead` };
}
