/**
 * A Bloom filter over the ids of a zone: a reader skips a zone that does not hold an id, without a list of all ids (Bloom,
 * "Space/time trade-offs in hash coding with allowable errors", 1970). Ten bits a key and four probes: the rate of false
 * positives is one zone in eighty.
 *
 * The filter is a text of six bits a character: it needs no escapes in JSON, and a bit is read without decoding the rest.
 */
const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
const CODES = Uint8Array.from(ALPHABET, (letter) => letter.charCodeAt(0));
const VALUES = new Uint8Array(128);
for (const [value, code] of CODES.entries()) VALUES[code] = value;

const BITS_PER_KEY = 10;
const PROBES = 4;
/** A zone is read as a whole, by readers who look for a name too: its filter stays below a third of a megabyte. */
const MAX_CHARS = 350_000;

/** What a hashed text is: the same text in another role has another hash. */
export type KeyRole = "id" | "cause" | "name" | "producer";

const SEEDS: Readonly<Record<KeyRole, number>> = {
  id: 0x811c9dc5,
  cause: 0x3c6ef372,
  name: 0x9b05688c,
  producer: 0x1f83d9ab,
};

/**
 * Hash of a text in one of its roles, 32 bits: FNV-1a, and the last step of MurmurHash3, so that texts that differ only in
 * their last digit get unrelated hashes.
 */
export function hashKey(role: KeyRole, text: string): number {
  let state = SEEDS[role];
  for (let place = 0; place < text.length; place++) state = Math.imul(state ^ text.charCodeAt(place), 0x01000193);
  state = Math.imul(state ^ (state >>> 16), 0x85ebca6b);
  state = Math.imul(state ^ (state >>> 13), 0xc2b2ae35);
  return (state ^ (state >>> 16)) >>> 0;
}

/** @param hashes - from {@link hashKey}; repeated ones do no harm */
export function keyFilter(hashes: readonly number[]): string {
  const chars = Math.min(MAX_CHARS, Math.max(4, Math.ceil((hashes.length * BITS_PER_KEY) / 6)));
  const bits = chars * 6;
  const values = new Uint8Array(chars);
  for (const hash of hashes) {
    const step = stepOf(hash);
    for (let probe = 0, at = hash; probe < PROBES; probe++, at = (at + step) >>> 0) {
      const bit = at % bits;
      const place = (bit / 6) | 0;
      values[place] = (values[place] ?? 0) | (1 << (bit - place * 6));
    }
  }
  return new TextDecoder().decode(values.map((value) => CODES[value] ?? 0));
}

/** @returns `false`: the filter certainly does not hold the key */
export function mayHoldKey(filter: string, hash: number): boolean {
  const bits = filter.length * 6;
  const step = stepOf(hash);
  for (let probe = 0, at = hash; probe < PROBES; probe++, at = (at + step) >>> 0) {
    const bit = at % bits;
    const place = (bit / 6) | 0;
    if (((VALUES[filter.charCodeAt(place)] ?? 0) & (1 << (bit - place * 6))) === 0) return false;
  }
  return true;
}

/** Distance between two probes of a key (double hashing); odd, so that it is not zero. */
function stepOf(hash: number): number {
  return (Math.imul(hash, 0x9e3779b1) | 1) >>> 0;
}
