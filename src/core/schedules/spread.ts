/**
 * A part from 0 to below 1 that follows from a name: names that are alike have parts that are not.
 *
 * @see http://www.isthe.com/chongo/tech/comp/fnv/ FNV-1a, with a last mix, since names often differ in their end alone
 */
export function partOf(name: string): number {
  let hash = 0x811c9dc5;
  for (let place = 0; place < name.length; place++) hash = Math.imul(hash ^ name.charCodeAt(place), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return ((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32;
}
