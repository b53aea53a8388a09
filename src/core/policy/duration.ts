import * as z from "zod";

const UNITS_MS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
const DURATION = /^(?:\d{1,9}(?:ms|s|m|h|d))+$/;
/** Longer than any useful window of a rule, and short enough that a time plus a duration stays a safe integer. */
const LONGEST_MS = 366 * UNITS_MS.d;

const LENGTH = "give a length of time such as 30s, 10m, 2h, 7d or 1h30m (366d at most)";

/** A length of time as people write it: `500ms`, `30s`, `10m`, `2h`, `7d`, or several of them, `1h30m`. */
export const Duration = z.string({ error: LENGTH }).refine(
  (text) => {
    const ms = durationMs(text);
    return ms !== undefined && ms > 0 && ms <= LONGEST_MS;
  },
  { message: LENGTH },
);

/** @returns milliseconds, or `undefined` where the text is no length of time */
export function durationMs(text: string): number | undefined {
  if (!DURATION.test(text)) return undefined;
  let ms = 0;
  for (const [, amount, unit] of text.matchAll(/(\d+)(ms|s|m|h|d)/g)) {
    ms += Number(amount) * UNITS_MS[unit as keyof typeof UNITS_MS];
  }
  return ms;
}

/** @param text - a duration that {@link Duration} has accepted */
export function checkedMs(text: string): number {
  const ms = durationMs(text);
  if (ms === undefined) throw new Error(`not a length of time: ${text}`);
  return ms;
}
