import * as z from "zod";
import { dayOf } from "../billing/usage-days.ts";
import type { ModelSettings } from "./settings.ts";

/** Spending of one day so far, reserved amounts included. */
export const Spending = z.object({
  /** `2026-01-31`, in UTC. */
  day: z.string(),
  requests: z.int(),
  usd: z.number(),
});
export type Spending = Readonly<z.infer<typeof Spending>>;

/** The spending of today; a new day begins at zero. */
export function spendingToday(spending: Spending | undefined, nowMs: number): Spending {
  const day = dayOf(nowMs);
  return spending?.day === day ? spending : { day, requests: 0, usd: 0 };
}

/**
 * Reserves the highest possible cost of one question.
 *
 * @returns the spending with that cost, or `undefined` where the day's budget does not cover it
 */
export function reserve(
  spending: Spending | undefined,
  highestUsd: number,
  daily: ModelSettings["daily"],
  nowMs: number,
): Spending | undefined {
  const today = spendingToday(spending, nowMs);
  if (today.requests + 1 > daily.requests || today.usd + highestUsd > daily.usd) return undefined;
  return { ...today, requests: today.requests + 1, usd: today.usd + highestUsd };
}

/** Replaces a reserved amount by the actual cost, on the day of the reservation. */
export function settleCost(spending: Spending, day: string, reservedUsd: number, actualUsd: number): Spending {
  if (spending.day !== day) return spending;
  return { ...spending, usd: Math.max(0, spending.usd - reservedUsd + actualUsd) };
}
