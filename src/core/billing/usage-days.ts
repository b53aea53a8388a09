import * as z from "zod";
import { NO_USAGE, sumUsage, Usage } from "./usage.ts";

export const DAY_MS = 86_400_000;

/** `2026-01-31`, in UTC. */
export function dayOf(nowMs: number): string {
  return new Date(nowMs).toISOString().slice(0, 10);
}

/** What was used on one day (UTC). */
export const DayUsage = z.object({
  day: z.string(),
  /** When counting began on that day. */
  from_ms: z.number(),
  usage: Usage,
  /** All that was ever used up to here, on earlier days too; absent: an earlier version wrote the row. */
  total: Usage.optional(),
});
export type DayUsage = Readonly<z.infer<typeof DayUsage>>;

/** What an object has used. */
export interface ObjectUsage {
  /** Since the object last woke. */
  readonly awake: Usage;
  /** By day, what is not stored yet included. */
  readonly days: readonly DayUsage[];
  readonly storage_bytes: number;
}

/** Adds to a day. */
export function addToDay(day: DayUsage | undefined, used: Usage, nowMs: number): DayUsage {
  if (day === undefined) return { day: dayOf(nowMs), from_ms: nowMs, usage: used };
  return { ...day, usage: sumUsage(day.usage, used) };
}

/** What all of them used from one day to another, both included. @returns also when counting began in that time */
export function sumDays(days: Iterable<DayUsage>, from: string, to: string): { usage: Usage; fromMs: number } {
  let usage = NO_USAGE;
  let fromMs = Number.POSITIVE_INFINITY;
  for (const one of days) {
    if (one.day < from || one.day > to) continue;
    usage = sumUsage(usage, one.usage);
    fromMs = Math.min(fromMs, one.from_ms);
  }
  return { usage, fromMs };
}
