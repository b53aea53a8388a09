/** Dead letters that wait, from which on people are told; and again at twice as many, and so on. */
const FIRST_LIMIT = 20;

/**
 * @param before - dead letters that waited before
 * @param after - those that wait now
 * @returns the highest limit that was reached between the two; `undefined`: none
 */
export function reachedLimit(before: number, after: number): number | undefined {
  let reached: number | undefined;
  for (let limit = FIRST_LIMIT; limit <= after; limit *= 2) if (before < limit) reached = limit;
  return reached;
}
