import { InvalidArgumentError } from "commander";
import { readJsonKeeping, refusalText } from "../src/core/json/read-json.ts";
import { durationMs } from "../src/core/policy/duration.ts";
import { parseTimestamp } from "../src/core/signals/timestamp.ts";

/** Reads an option that is a whole number. */
export function wholeNumber(min: number, max = Number.MAX_SAFE_INTEGER) {
  return (text: string): number => {
    const value = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
    if (value >= min && value <= max) return value;
    throw new InvalidArgumentError(
      max === Number.MAX_SAFE_INTEGER
        ? `Give a whole number, ${min} or more.`
        : `Give a whole number from ${min} to ${max}.`,
    );
  };
}

/** Reads an option that is an amount, such as of money. */
export function amount(max: number) {
  return (text: string): number => {
    const value = /^\d{1,9}(\.\d{1,9})?$/.test(text) ? Number(text) : Number.NaN;
    if (value <= max) return value;
    throw new InvalidArgumentError(`Give a number from 0 to ${max}.`);
  };
}

/** Gathers an option that may be repeated, or hold commas. */
export function list(text: string, before: readonly string[] = []): string[] {
  return [...before, ...text.split(",").filter((part) => part !== "")];
}

/** The last time that RFC 3339 can write: 9999-12-31T23:59:59.999Z. */
const LAST_MS = 253_402_300_799_999;

const UNITS_MS = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** A time, or an age such as `10m`. @returns RFC 3339 */
export function time(text: string): string {
  const [, amount, unit] = /^(\d{1,6})([smhd])$/.exec(text) ?? [];
  const ms =
    amount !== undefined && unit !== undefined
      ? Date.now() - Number(amount) * UNITS_MS[unit as keyof typeof UNITS_MS]
      : parseTimestamp(/^\d+(\.\d+)?$/.test(text) ? Number(text) : text);
  if (ms === undefined)
    throw new InvalidArgumentError(
      "Give RFC 3339 (2026-01-31T12:00:00Z), seconds since the epoch, or an age such as 90s, 10m, 2h, 7d.",
    );
  return new Date(ms).toISOString();
}

/** A time to come, or how long from now, such as `7d`. @returns RFC 3339 */
export function timeAhead(text: string): string {
  const lengthMs = durationMs(text);
  const ms =
    lengthMs === undefined
      ? parseTimestamp(/^\d+(\.\d+)?$/.test(text) ? Number(text) : text)
      : Math.min(Date.now() + lengthMs, LAST_MS);
  const how =
    "Give a length of time from now such as 90m, 12h or 7d, RFC 3339 (2026-01-31T12:00:00Z), or seconds since the epoch.";
  if (ms === undefined) throw new InvalidArgumentError(how);
  if (ms <= Date.now()) throw new InvalidArgumentError(`${new Date(ms).toISOString()} has passed. ${how}`);
  return new Date(ms).toISOString();
}

/** `0`, or a length of time such as `2h` or `1h30m`. @returns milliseconds */
export function lengthOfTime(text: string): number {
  const ms = text === "0" ? 0 : durationMs(text);
  if (ms === undefined)
    throw new InvalidArgumentError("Give a length of time such as 30s, 10m, 2h, 7d or 1h30m, or 0.");
  return ms;
}

/**
 * Gathers `--fact name=value`. A value that reads as JSON (a number, true, null, {…}) is that; any other is text, and so
 * is a number that would not come back as it was typed: an id of 19 digits, or a hash such as 215e6.
 */
export function fact(text: string, before: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
  const at = text.indexOf("=");
  if (at < 1) throw new InvalidArgumentError("Give name=value.");
  return { ...before, [text.slice(0, at)]: jsonOrText(text.slice(at + 1)) };
}

function jsonOrText(text: string): unknown {
  const reading = readJsonKeeping(text);
  if (!reading.ok && reading.malformed === undefined) throw new InvalidArgumentError(refusalText(reading));
  if (!reading.ok) return text;
  const { value } = reading;
  return typeof value === "number" && /e/i.test(text) && String(value) !== text.trim() ? text : value;
}

export function facts(text: string): Record<string, unknown> {
  const value = jsonOrText(text);
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw new InvalidArgumentError('Give a JSON object, such as \'{"question": "why?"}\'.');
}
