import { doubled } from "../numbers/doubled.ts";

/**
 * Delay before the next attempt. The delay doubles with each attempt, up to a limit, and is drawn from the upper half
 * of that time: tasks that failed together do not return together, and still wait about as long as intended.
 *
 * @param attempt - attempts made so far, from 1
 * @param random - from 0 to below 1
 * @returns whole milliseconds: with 1,000 and attempt 3, from 2,000 to 3,999
 */
export function retryDelayMs(
  attempt: number,
  { backoff_ms, backoff_max_ms }: { readonly backoff_ms: number; readonly backoff_max_ms: number },
  random: number,
): number {
  const full = doubled(backoff_ms, backoff_max_ms, attempt - 1);
  return Math.floor(full / 2 + (full / 2) * random);
}
