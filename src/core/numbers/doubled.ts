/**
 * A pause that doubles each time, up to a limit.
 *
 * @param times - how often it has doubled, from 0
 * @returns in the unit of `first` and `most`
 */
export function doubled(first: number, most: number, times: number): number {
  // Higher exponents reach any limit, and would overflow to infinity.
  return Math.min(most, first * 2 ** Math.min(times, 40));
}
