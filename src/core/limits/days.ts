import { momentOf, wallTime } from "../times/zone.ts";
import type { Day } from "./state.ts";

/** Days that are remembered: a clock that is set back and forth over midnight finds what was spent on each. */
const KEPT_DAYS = 4;
const DAY_MS = 86_400_000;

/** The day that a clock in the zone shows, as a number in the order of days: 20260131. */
export function dayAt(nowMs: number, zone: string): number {
  const { year, month, day } = wallTime(nowMs, zone);
  return (year * 100 + month) * 100 + day;
}

/** The next midnight of the zone. */
export function midnightAfter(nowMs: number, zone: string): number {
  const { year, month, day } = wallTime(nowMs, zone);
  const next = new Date(Date.UTC(year, month - 1, day) + DAY_MS);
  const midnight = { hour: 0, minute: 0, second: 0 };
  return momentOf(
    { year: next.getUTCFullYear(), month: next.getUTCMonth() + 1, day: next.getUTCDate(), ...midnight },
    zone,
  );
}

/** What was spent on a day; it is remembered from now on, and days beyond the last four are not. */
export function openDay(days: Day[], day: number): Day {
  const known = days.find((one) => one.day === day);
  if (known !== undefined) return known;
  const made = { day, spent: 0, held: 0 };
  days.push(made);
  while (days.length > KEPT_DAYS) days.shift();
  return made;
}
