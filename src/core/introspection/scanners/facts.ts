/** Facts are the reporters' own: what is not a measurement is not averaged in, or one mistake would spread. */

/** Longest name of a group: it becomes part of a gap's name. */
const MAX_LABEL = 200;

export function labelOf(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" && value.length <= MAX_LABEL ? value : undefined;
}

export function isPercent(value: unknown): value is number {
  return typeof value === "number" && value >= 0 && value <= 100;
}

/** Beyond this no number is a measurement, and a window full of them would have a sum that is none. */
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
