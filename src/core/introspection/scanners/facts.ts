/** Reporters choose their facts freely. Values that are not measurements are left out, because one would spoil a mean. */

/** Longest name of a group, which becomes part of a gap's name. */
const MAX_LABEL = 200;

export function labelOf(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" && value.length <= MAX_LABEL ? value : undefined;
}

export function isPercent(value: unknown): value is number {
  return typeof value === "number" && value >= 0 && value <= 100;
}

/** Larger numbers are left out: their sum could overflow to infinity. */
const LARGEST_AMOUNT = 1e300;

/** A number from 0 to 1e300. */
export function isAmount(value: unknown): value is number {
  return typeof value === "number" && value >= 0 && value <= LARGEST_AMOUNT;
}

/** To three decimals, or three digits where it is smaller: evidence is for people. */
export function rounded(value: number): number {
  return Math.abs(value) >= 1 ? Math.round(value * 1_000) / 1_000 : Number(value.toPrecision(3));
}

/** How far `value` has gone from `limit` towards `worst`, 0 to 1. */
export function severityOf(value: number, limit: number, worst: number): number {
  if (limit === worst) return 1;
  return Math.min(1, Math.max(0, (value - limit) / (worst - limit)));
}
