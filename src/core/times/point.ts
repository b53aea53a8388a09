import { parseTimestamp } from "../signals/timestamp.ts";
import { type Reading, readDuration } from "./duration.ts";
import { momentOf, type WallTime, wallTime } from "./zone.ts";

/** When and where the text is read. */
export interface Now {
  readonly nowMs: number;
  /** Time zone of the person who wrote the text, such as `Europe/Berlin`. */
  readonly zone: string;
}

/** The last time that RFC 3339 can write: 9999-12-31T23:59:59.999Z. */
export const LAST_MS = 253_402_300_799_999;

const FORMS = {
  past: "10m (ten minutes ago), yesterday 14:00, 2026-11-29, 2026-11-29 14:00 (local time) or 2026-11-29T14:00:00Z",
  future:
    "10m (ten minutes from now), tomorrow 14:00, 2026-11-29, 2026-11-29 14:00 (local time) or 2026-11-29T14:00:00Z",
} as const;

/**
 * Reads a point in time as people write it: `10m`, `10m ago`, `in 2h`, `now`, `14:00`, `yesterday 14:00`, `2026-11-29`,
 * `2026-11-29 14:00`, RFC 3339, or seconds since the epoch. Dates and hours without an offset are local; RFC 3339 with a T
 * and no offset is UTC, as it is everywhere in Ganglion.
 *
 * @param direction - what a length of time alone means: so long ago, or so long from now
 */
export function readTime(text: string, { nowMs, zone }: Now, direction: "past" | "future"): Reading {
  const words = text.trim().replaceAll(/\s+/g, " ");
  const ms = lengthAway(words, nowMs, direction) ?? localTime(words, { nowMs, zone }) ?? stamp(words);
  if (ms === undefined || Number.isNaN(ms))
    return { ok: false, why: `${whyNoTime(words)}Write a time such as ${FORMS[direction]}.` };
  return { ok: true, ms: Math.min(Math.max(ms, 0), LAST_MS) };
}

function lengthAway(words: string, nowMs: number, direction: "past" | "future"): number | undefined {
  if (words === "now") return nowMs;
  const [, ahead, length = "", ago] = /^(in )?(.*?)( ago)?$/.exec(words) ?? [];
  if (ahead !== undefined && ago !== undefined) return undefined;
  if (!/[a-z]/.test(length)) return undefined;
  const reading = readDuration(length);
  if (!reading.ok) return undefined;
  const isPast = ago !== undefined || (ahead === undefined && direction === "past");
  return isPast ? nowMs - reading.ms : nowMs + reading.ms;
}

const DAYS = { yesterday: -1, today: 0, tomorrow: 1 } as const;
const LOCAL =
  /^(?:(yesterday|today|tomorrow)|(\d{4})-(\d\d)-(\d\d))?(?:(?:^| )(\d{1,2}):(\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?)?$/;

/** @returns `NaN` for a day or an hour that does not exist */
function localTime(words: string, { nowMs, zone }: Now): number | undefined {
  const match = words === "" ? null : LOCAL.exec(words);
  if (match === null) return undefined;
  const [, word, year, month, day, hour = "0", minute = "0", second = "0", fraction = ""] = match;
  const date =
    year === undefined ? nearby(word, nowMs, zone) : { year: Number(year), month: Number(month), day: Number(day) };
  const wall: WallTime = { ...date, hour: Number(hour), minute: Number(minute), second: Number(second) };
  return isReal(wall) ? momentOf(wall, zone) + Math.floor(Number(`0.${fraction || 0}`) * 1_000) : Number.NaN;
}

function nearby(word: string | undefined, nowMs: number, zone: string): Pick<WallTime, "year" | "month" | "day"> {
  const { year, month, day } = wallTime(nowMs, zone);
  const moved = new Date(Date.UTC(year, month - 1, day + (word === undefined ? 0 : DAYS[word as keyof typeof DAYS])));
  return { year: moved.getUTCFullYear(), month: moved.getUTCMonth() + 1, day: moved.getUTCDate() };
}

function isReal({ year, month, day, hour, minute, second }: WallTime): boolean {
  const isDay = month >= 1 && month <= 12 && day >= 1 && day <= new Date(Date.UTC(year, month, 0)).getUTCDate();
  return isDay && year >= 1970 && hour <= 23 && minute <= 59 && second <= 59;
}

/** RFC 3339, also without seconds where an offset follows, or seconds since the epoch. */
function stamp(words: string): number | undefined {
  if (/^\d+(\.\d+)?$/.test(words)) return parseTimestamp(Number(words));
  return parseTimestamp(words.replace(/^(\d{4}-\d\d-\d\d[Tt]\d\d:\d\d)([Zz]|[+-]\d\d:?\d\d)$/, "$1:00$2"));
}

function whyNoTime(words: string): string {
  if (words === "") return "Nothing is given. ";
  if (/^\d{12,}$/.test(words))
    return `${words} would be after the year 9999: seconds since the epoch are meant, not milliseconds. `;
  if (/^\d{4}-\d\d-\d\d[Tt]\d\d:\d\d$/.test(words))
    return "A time with a T needs seconds and an offset, such as :00Z. ";
  if (/^(\d{4}-\d\d-\d\d|(yesterday|today|tomorrow) |\d{1,2}:)/.test(words))
    return `${words} does not exist in the calendar or on the clock. `;
  if (/^\d/.test(words)) {
    const length = readDuration(words.replace(/ ago$/, ""));
    if (!length.ok && length.why.includes("unit")) return length.why.replace(/Write a length.*$/, "");
  }
  return `"${words}" is no time. `;
}
