import type { ModelSettings } from "./settings.ts";

/** What a day has cost so far. Reserved amounts are in it. */
export interface Spent {
  /** `2026-01-31`, in UTC. */
  readonly day: string;
  readonly requests: number;
  readonly usd: number;
}

export function dayOf(nowMs: number): string {
  return new Date(nowMs).toISOString().slice(0, 10);
}

/** What was spent today; a new day begins with nothing. */
export function spentToday(spent: Spent | undefined, nowMs: number): Spent {
  const day = dayOf(nowMs);
  return spent?.day === day ? spent : { day, requests: 0, usd: 0 };
}

/**
 * Counts one question in, with what it may cost at most.
 *
 * @returns what is spent with it, or `undefined` where the day's budget does not reach for it
 */
export function reserve(
  spent: Spent | undefined,
  highestUsd: number,
  daily: ModelSettings["daily"],
  nowMs: number,
): Spent | undefined {
  const today = spentToday(spent, nowMs);
  if (today.requests + 1 > daily.requests || today.usd + highestUsd > daily.usd) return undefined;
  return { ...today, requests: today.requests + 1, usd: today.usd + highestUsd };
}

/** Puts what it did cost in the place of what was reserved, on the day on which it was reserved. */
export function settleCost(spent: Spent, day: string, reservedUsd: number, actualUsd: number): Spent {
  if (spent.day !== day) return spent;
  return { ...spent, usd: Math.max(0, spent.usd - reservedUsd + actualUsd) };
}
