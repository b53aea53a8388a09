/** Fences of a millisecond. No object grants as many. */
const PER_MS = 1_000;
const LARGEST = Number.MAX_SAFE_INTEGER / 2;

/**
 * The next fence: larger than every one before.
 *
 * Fences follow the clock, and not a count alone: an object that was set back to an earlier copy, or began anew after its
 * storage was deleted, does not know what it gave out since, and its clock has gone on. Where the clock was set back, the count
 * goes on from the last fence. Only both at once, a copy of before and a clock that is behind its last fence, repeat a fence.
 *
 * @param last - the largest fence that is known; 0: none
 */
export function nextFence(last: number, nowMs: number): number {
  const byClock = Math.floor(nowMs) * PER_MS;
  return Math.max(last + 1, byClock < LARGEST ? byClock : 0);
}
