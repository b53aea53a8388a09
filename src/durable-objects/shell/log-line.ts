/** Longest text of one field, in characters: errors quote what callers sent. */
const MAX_TEXT = 2_000;

/** What looks like a secret of this system, of its webhooks or of a model's maker, and what is written instead. */
const SECRETS: readonly (readonly [RegExp, string])[] = [
  [/\b(gn[gsc]_[a-z2-7]{12}|gng_admin)_[A-Za-z0-9_-]+/g, "$1_…"],
  [/\b(Bearer|Basic)\s+[A-Za-z0-9._~+/=-]+/gi, "$1 …"],
  [/\bwhsec_[A-Za-z0-9+/=_-]+/g, "whsec_…"],
  [/\bsk-[A-Za-z0-9_-]{12,}/g, "sk-…"],
];

export interface LogFields {
  readonly ecosystem?: string;
  /** The kind of object that writes, or whose call failed. */
  readonly object?: string;
  readonly error?: unknown;
  readonly [detail: string]: unknown;
}

/**
 * Writes one line of JSON to the log of the Worker: `{level, event, ecosystem, object, error, …}`, by which logs can be
 * searched and counted. This is the one place in the edge that writes to the console.
 *
 * @param event - what happened, in words with hyphens between them; never with a name or a number in it
 */
export function logLine(level: "warn" | "error", event: string, { error, ...fields }: LogFields = {}): void {
  console[level](formatLogLine(level, event, { ...fields, ...errorFields(level, error) }));
}

function formatLogLine(level: string, event: string, fields: Readonly<Record<string, unknown>>): string {
  const entries = Object.entries(fields).map(([name, value]) => [name, isPlain(value) ? value : textOf(value)]);
  return JSON.stringify({ level, event, ...Object.fromEntries(entries) });
}

const isPlain = (value: unknown) => value === undefined || typeof value === "number" || typeof value === "boolean";

/** A warning repeats itself, and says where by its event; an error may be a bug, which the stack helps to find. */
function errorFields(level: string, error: unknown): Record<string, unknown> {
  if (error === undefined) return {};
  const stack = level === "error" && error instanceof Error ? error.stack : undefined;
  return { error, ...(stack === undefined ? {} : { stack }) };
}

function textOf(value: unknown): string {
  // Masked before it is cut: half of a secret does not look like one.
  const masked = SECRETS.reduce((text, [secret, instead]) => text.replace(secret, instead), wordsOf(value));
  return masked.length > MAX_TEXT ? `${masked.slice(0, MAX_TEXT)}…` : masked;
}

function wordsOf(value: unknown): string {
  try {
    return String(value).slice(0, 4 * MAX_TEXT);
  } catch {
    // A line about an error is written even where the error is an object that cannot be shown.
    return `a value of type ${typeof value} that is no text`;
  }
}
