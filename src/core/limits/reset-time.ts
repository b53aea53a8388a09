import { parseTimestamp } from "../signals/timestamp.ts";
import { momentOf, wallTime } from "../times/zone.ts";
import { LONGEST_MS } from "./closing.ts";
import { isZone } from "./settings.ts";

/** What of a message is read. */
const MAX_CHARS = 1_000;
const DAY_MS = 86_400_000;

const UNITS: readonly (readonly [name: RegExp, ms: number])[] = [
  [/^(ms|milliseconds?)$/, 1],
  [/^(s|secs?|seconds?)$/, 1_000],
  [/^(m|mins?|minutes?)$/, 60_000],
  [/^(h|hrs?|hours?)$/, 3_600_000],
  [/^(d|days?)$/, DAY_MS],
];
const MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];

/** `limit reached|1767268800`: the seconds since the epoch. */
const EPOCH = /\|\s*(\d{10})\b/;
/** `resets at 2026-01-31T17:00:00Z`. */
const INSTANT = /\b(\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d{1,9})?(?:Z|[+-]\d{2}:\d{2}))/;
/** `try again in 1h 20m`, `Retry after 30 seconds`. */
const LENGTH = /\b(?:again|retry|resets?|wait)\b[^\d.;]{0,20}?((?:\d+(?:\.\d+)?\s*[a-z]+[\s,]*(?:and\s+)?)+)/i;
const PART = /(\d+(?:\.\d+)?)\s*([a-z]+)/gi;
/** `resets 3pm (Europe/Berlin)`, `will reset at 11:30pm (UTC)`, `resets Jan 5, 9am (America/New_York)`. */
const CLOCK =
  /\bresets?\b(?:\s+(?:at|on))?\s+(?:([a-z]{3})[a-z]*\.?\s+(\d{1,2}),?\s+(?:at\s+)?)?(\d{1,2})(?::(\d{2}))?\s*(am|pm)?\s*\(([A-Za-z_]+(?:\/[A-Za-z_+-]+)*)\)/i;

/**
 * When a provider takes requests again, as the message of its refusal says for people. Programs show it to their users and give
 * it in no field.
 *
 * @param nowMs - when it was said
 * @returns `undefined`: it does not say, or what it says is over, or further away than a limit is ever closed. Of the time on a
 *   clock without a zone nobody knows when it is.
 */
export function resetMsOf(message: string, nowMs: number): number | undefined {
  const text = message.slice(0, MAX_CHARS);
  const atMs = epochMs(text) ?? instantMs(text) ?? lengthEndMs(text, nowMs) ?? clockMs(text, nowMs);
  return atMs !== undefined && atMs > nowMs && atMs <= nowMs + LONGEST_MS ? atMs : undefined;
}

function epochMs(text: string): number | undefined {
  const [, seconds] = EPOCH.exec(text) ?? [];
  return seconds === undefined ? undefined : Number(seconds) * 1_000;
}

function instantMs(text: string): number | undefined {
  const [, instant] = INSTANT.exec(text) ?? [];
  return instant === undefined ? undefined : parseTimestamp(instant);
}

function lengthEndMs(text: string, nowMs: number): number | undefined {
  const [, length] = LENGTH.exec(text) ?? [];
  let sum = 0;
  for (const [, count, unit = ""] of (length ?? "").matchAll(PART)) {
    const [, ms] = UNITS.find(([name]) => name.test(unit.toLowerCase())) ?? [];
    // `Resets 3pm` is no length, and neither is a month, whose length is not said.
    if (ms === undefined) return undefined;
    sum += Number(count) * ms;
  }
  return sum === 0 ? undefined : nowMs + Math.ceil(sum);
}

function clockMs(text: string, nowMs: number): number | undefined {
  const [, monthName, dayText, hourText, minuteText = "0", half, zone = ""] = CLOCK.exec(text) ?? [];
  if (hourText === undefined || !isZone(zone)) return undefined;
  const [given, minute] = [Number(hourText), Number(minuteText)];
  if (minute > 59 || given > (half === undefined ? 23 : 12) || (half !== undefined && given === 0)) return undefined;
  const hour = half === undefined ? given : (given % 12) + (half.toLowerCase() === "pm" ? 12 : 0);
  const today = wallTime(nowMs, zone);
  const time = { hour, minute, second: 0 };
  if (monthName === undefined) {
    const atMs = momentOf({ ...today, ...time }, zone);
    if (atMs > nowMs) return atMs;
    const next = new Date(Date.UTC(today.year, today.month - 1, today.day) + DAY_MS);
    const day = { year: next.getUTCFullYear(), month: next.getUTCMonth() + 1, day: next.getUTCDate() };
    return momentOf({ ...day, ...time }, zone);
  }
  const month = MONTHS.indexOf(monthName.toLowerCase()) + 1;
  if (month === 0) return undefined;
  // Of a day without a year, at the turn of a year: the next one.
  const at = (year: number) => momentOf({ year, month, day: Number(dayText), ...time }, zone);
  const atMs = at(today.year);
  return atMs > nowMs ? atMs : at(today.year + 1);
}
