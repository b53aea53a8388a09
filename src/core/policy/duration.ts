import * as z from "zod";
import { durationMs } from "../times/duration.ts";

/** Longer than any useful window of a rule, and short enough that a time plus a duration stays a safe integer. */
const LONGEST_MS = 366 * 86_400_000;

const LENGTH = "give a length of time such as 30s, 10m, 2h, 7d or 1h30m (366d at most)";

/** A length of time as people write it: `500ms`, `30s`, `10m`, `2h`, `7d`, `1w`, or several of them, `1h30m`. */
export const Duration = z.string({ error: LENGTH }).refine(
  (text) => {
    const ms = durationMs(text);
    return ms !== undefined && ms > 0 && ms <= LONGEST_MS;
  },
  { message: LENGTH },
);

/** @param text - a duration that {@link Duration} has accepted */
export function checkedMs(text: string): number {
  const ms = durationMs(text);
  if (ms === undefined) throw new Error(`not a length of time: ${text}`);
  return ms;
}
