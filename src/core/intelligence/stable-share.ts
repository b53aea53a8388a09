/**
 * A place from 0 to below 100 for a key, always the same: a share of 10 % is the keys below 10, all of which are among
 * those below 50. FNV-1a mixes short keys badly in its high bits, so its result is mixed once more.
 *
 * @see http://www.isthe.com/chongo/tech/comp/fnv/
 */
export function placeOfKey(key: string): number {
  let hash = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(key)) hash = Math.imul(hash ^ byte, 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32) * 100;
}

/** Whether a key is among a share, given in percent. */
export const isInShare = (key: string, percent: number): boolean => placeOfKey(key) < percent;
