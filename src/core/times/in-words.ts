import { wallTime } from "./zone.ts";

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** A length of time in at most two units, as it can be typed again: `850ms`, `12s`, `5m`, `3h20m`, `4d`. */
export function lengthInWords(ms: number): string {
  if (ms < SECOND) return `${Math.round(ms)}ms`;
  if (ms < MINUTE) return `${Math.floor(ms / SECOND)}s`;
  if (ms < HOUR) return `${Math.floor(ms / MINUTE)}m`;
  if (ms < DAY) return twoUnits(ms, [HOUR, "h"], [MINUTE, "m"]);
  return twoUnits(ms, [DAY, "d"], [HOUR, "h"]);
}

function twoUnits(ms: number, [large, largeName]: [number, string], [small, smallName]: [number, string]): string {
  const rest = Math.floor((ms % large) / small);
  return `${Math.floor(ms / large)}${largeName}${rest === 0 ? "" : `${rest}${smallName}`}`;
}

/** A time as a person reads it: `5m ago`, `in 2h`; a day or more away, the local date and hour. */
export function timeInWords(ms: number, nowMs: number, zone: string): string {
  const away = ms - nowMs;
  if (Math.abs(away) < SECOND) return "now";
  if (Math.abs(away) >= DAY) return localMinute(ms, zone);
  return away < 0 ? `${lengthInWords(-away)} ago` : `in ${lengthInWords(away)}`;
}

/** `14:00:05` on the day of `nowMs`, `2026-11-29 14:00` on any other. It stays the same while time passes. */
export function clockTime(ms: number, nowMs: number, zone: string): string {
  const [then, now] = [wallTime(ms, zone), wallTime(nowMs, zone)];
  const isToday = then.year === now.year && then.month === now.month && then.day === now.day;
  return isToday ? [then.hour, then.minute, then.second].map(twoDigits).join(":") : localMinute(ms, zone);
}

function localMinute(ms: number, zone: string): string {
  const { year, month, day, hour, minute } = wallTime(ms, zone);
  return `${year}-${twoDigits(month)}-${twoDigits(day)} ${twoDigits(hour)}:${twoDigits(minute)}`;
}

const twoDigits = (value: number) => String(value).padStart(2, "0");
