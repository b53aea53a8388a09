import { InvalidArgumentError } from "commander";
import { readJsonKeeping, refusalText } from "../src/core/json/read-json.ts";
import { type Reading, readDuration } from "../src/core/times/duration.ts";
import { lengthInWords } from "../src/core/times/in-words.ts";
import { LAST_MS, readTime } from "../src/core/times/point.ts";
import { localZone } from "./terminal/clock.ts";

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

/** A time, or how long ago, such as `10m`. @returns RFC 3339 */
export function time(text: string): string {
  return pointInTime(text, "past");
}

/** A time to come, or how long from now, such as `7d`. @returns RFC 3339 */
export function timeAhead(text: string): string {
  const at = pointInTime(text, "future");
  if (Date.parse(at) <= Date.now())
    throw new InvalidArgumentError(
      `${at} has passed. Give a time to come, such as 7d (from now) or ${nextYear()}-01-31.`,
    );
  return at;
}

const nextYear = () => new Date().getFullYear() + 1;

function pointInTime(text: string, direction: "past" | "future"): string {
  return new Date(given(readTime(text, { nowMs: Date.now(), zone: localZone() }, direction))).toISOString();
}

/** A length of time, such as `2h` or `1h30m`; `0` is none. @returns milliseconds */
export function lengthOfTime(text: string): number {
  return given(readDuration(text));
}

/** A length of time; a number without a unit counts milliseconds. @returns milliseconds */
export function milliseconds(minMs: number, maxMs = LAST_MS) {
  return (text: string): number => within(given(readDuration(text, "ms")), minMs, maxMs);
}

/** A length of time; a number without a unit counts seconds. @returns whole seconds */
export function seconds(min: number, max = LAST_MS / 1_000) {
  return (text: string): number => {
    const ms = within(given(readDuration(text, "s")), min * 1_000, max * 1_000);
    if (ms % 1_000 !== 0) throw new InvalidArgumentError("Give whole seconds, such as 90s.");
    return ms / 1_000;
  };
}

function given(reading: Reading): number {
  if (reading.ok) return reading.ms;
  throw new InvalidArgumentError(reading.why);
}

function within(ms: number, minMs: number, maxMs: number): number {
  if (ms >= minMs && ms <= maxMs) return ms;
  const most = maxMs === LAST_MS ? "" : ` and ${lengthInWords(maxMs)} at most`;
  throw new InvalidArgumentError(`Give ${lengthInWords(minMs)} at least${most}.`);
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

/** Gathers `--label name=value`. */
export function label(text: string, before: Readonly<Record<string, string>> = {}): Record<string, string> {
  const at = text.indexOf("=");
  if (at < 1) throw new InvalidArgumentError("Give name=value.");
  return { ...before, [text.slice(0, at)]: text.slice(at + 1) };
}

export function facts(text: string): Record<string, unknown> {
  const value = jsonOrText(text);
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw new InvalidArgumentError('Give a JSON object, such as \'{"question": "why?"}\'.');
}
