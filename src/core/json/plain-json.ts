import { encode, encoded } from "./encoded-text.ts";
import {
  BACKSLASH,
  CASE_BIT,
  CLOSE_LIST,
  CLOSE_OBJECT,
  COLON,
  COMMA,
  codesOf,
  DIGIT_0,
  DIGIT_9,
  endOfDigits,
  escapeSize,
  FALSE,
  isSpace,
  isWord,
  LOWER_E,
  LOWER_F,
  LOWER_N,
  LOWER_T,
  MINUS,
  NULL,
  OPEN_LIST,
  OPEN_OBJECT,
  PLUS,
  POINT,
  QUOTE,
  SPACE,
  TRUE,
  UNDERSCORE,
} from "./json-bytes.ts";
import type { JsonLimits } from "./limits.ts";
import { isHeldByDouble } from "./number-text.ts";

/** Digits that every double holds, and longer numbers with a point of which it holds the nearest. */
export const SAFE_DIGITS = 15;
const SAFE_LENGTH = 300;

/** Keys of one object that are compared with each other here. Objects with more are left to the thorough search. */
const MAX_COMPARED = 128;
const MAX_LEVELS = 1_024;

/** What may come next in a text, as bits. */
const A_VALUE = 1;
const AN_END = 2;
const A_KEY = 4;
/** A comma, or the end of the object or the list around it. */
const WHAT_FOLLOWS = 8;

// Kept between calls, which do not overlap. Of all open objects: where their keys begin, and a digest of each; by level: how
// many of the keys belong to the objects around it, and whether it is an object.
let keyStarts = new Int32Array(1_024);
let keyDigests = new Int32Array(1_024);
const levelStarts = new Int32Array(MAX_LEVELS + 1);
const levelIsObject = new Uint8Array(MAX_LEVELS + 1);

/**
 * Whether a text is certainly JSON (RFC 8259), keeps to the limits, and means the same after JSON.parse. One pass that
 * builds nothing, because every signal goes through it. `false` is a doubt, not a refusal: JSON.parse and `findFaults`
 * decide. The doubtful among texts that are JSON are few: those with surrogate pairs written as escapes, with escapes in
 * keys, and with very many keys in one object.
 */
export function isPlainJson(text: string, limits: JsonLimits): boolean {
  if (hasHalfPairs(text)) return false;
  const length = encode(text);
  let at = plainValueEnd(0, limits);
  while (at >= 0 && at < length) at = isSpace(encoded[at]) ? at + 1 : DOUBT;
  return at === length;
}

/** Whether an escape may be half a surrogate pair; the other half may be there. */
export function hasHalfPairs(text: string): boolean {
  return text.includes("\\") && SURROGATE.test(text);
}

/** In the place of an end: the value is no JSON, or it may not mean the same after JSON.parse. */
export const DOUBT = -1;

/**
 * Where the value ends that begins at a byte of the {@link encoded} text, which must have no half pairs; or {@link DOUBT}.
 *
 * @param compact - white space between tokens is a doubt, too: the value is as JSON.stringify writes it
 */
export function plainValueEnd(
  from: number,
  { depth: maxDepth, keys: maxKeys, keyLength }: JsonLimits,
  compact = false,
): number {
  const source = encoded;
  let starts = keyStarts;
  let digests = keyDigests;
  const comparedKeys = Math.min(maxKeys, MAX_COMPARED);
  const deepest = Math.min(maxDepth, MAX_LEVELS);
  let level = 0;
  /** Keys in use, and those of them that belong to objects around the innermost one. */
  let used = 0;
  let start = 0;
  let isObject = false;
  let next = A_VALUE;
  let at = from;
  // The zero behind the text is in no token.
  while (level !== 0 || next !== WHAT_FOLLOWS) {
    const byte = source[at] ?? 0;
    if (byte === QUOTE) {
      const first = ++at;
      let inside = source[at] ?? 0;
      if ((next & A_KEY) === 0) {
        if ((next & A_VALUE) === 0) return DOUBT;
        while (inside !== QUOTE) {
          // Also the zero behind the text, where a text has no end.
          if (inside < SPACE) return DOUBT;
          if (inside === BACKSLASH) {
            const size = escapeSize(source, at);
            if (size === 0) return DOUBT;
            at += size;
          } else at++;
          inside = source[at] ?? 0;
        }
        at++;
        next = WHAT_FOLLOWS;
        continue;
      }
      while (inside !== QUOTE) {
        if (inside === BACKSLASH || inside < SPACE) return DOUBT;
        inside = source[++at] ?? 0;
      }
      const size = at - first;
      if (size > keyLength || used - start >= comparedKeys) return DOUBT;
      const head = source[first] ?? 0;
      if (head === UNDERSCORE && size === PROTO.length && isProto(source, first)) return DOUBT;
      const digest = (size << 24) ^ (head << 16) ^ ((source[first + (size >> 1)] ?? 0) << 8) ^ (source[at - 1] ?? 0);
      for (let other = start; other < used; other++) {
        if (digests[other] === digest && sameKey(source, starts[other] ?? 0, first, size)) return DOUBT;
      }
      if (used === digests.length) {
        growKeys();
        starts = keyStarts;
        digests = keyDigests;
      }
      starts[used] = first;
      digests[used++] = digest;
      if (source[++at] !== COLON) {
        if (compact) return DOUBT;
        while (isSpace(source[at])) at++;
        if (source[at] !== COLON) return DOUBT;
      }
      at++;
      next = A_VALUE;
    } else if (byte === COMMA) {
      if (next !== WHAT_FOLLOWS || level === 0) return DOUBT;
      next = isObject ? A_KEY : A_VALUE;
      at++;
    } else if (byte <= DIGIT_9 && (byte >= DIGIT_0 || byte === MINUS)) {
      if ((next & A_VALUE) === 0) return DOUBT;
      next = WHAT_FOLLOWS;
      const first = at;
      const digits = byte === MINUS ? at + 1 : at;
      at = endOfDigits(source, digits);
      // At least one digit, and a zero only where it is alone.
      if (at === digits || (source[digits] === DIGIT_0 && at > digits + 1)) return DOUBT;
      const end = source[at] ?? 0;
      if (end !== POINT && (end | CASE_BIT) !== LOWER_E && at - first <= SAFE_DIGITS) continue;
      // Not a short whole number, as most are.
      const point = at;
      if (end === POINT) {
        at = endOfDigits(source, point + 1);
        if (at === point + 1) return DOUBT;
      }
      const power = ((source[at] ?? 0) | CASE_BIT) === LOWER_E;
      if (power) {
        const sign = source[++at] ?? 0;
        const exponent = sign === MINUS || sign === PLUS ? at + 1 : at;
        at = endOfDigits(source, exponent);
        if (at === exponent) return DOUBT;
      }
      const size = at - first;
      if (!power && (size <= SAFE_DIGITS || (end === POINT && point - first <= SAFE_DIGITS && size < SAFE_LENGTH)))
        continue;
      if (size > SAFE_LENGTH || !isHeldByDouble(String.fromCharCode(...source.subarray(first, at)))) return DOUBT;
    } else if (byte === OPEN_OBJECT || byte === OPEN_LIST) {
      if ((next & A_VALUE) === 0 || level >= deepest) return DOUBT;
      levelStarts[level] = start;
      levelIsObject[level++] = isObject ? 1 : 0;
      start = used;
      isObject = byte === OPEN_OBJECT;
      next = (isObject ? A_KEY : A_VALUE) | AN_END;
      at++;
    } else if (byte === CLOSE_OBJECT || byte === CLOSE_LIST) {
      if ((next & (AN_END | WHAT_FOLLOWS)) === 0 || level === 0 || isObject !== (byte === CLOSE_OBJECT)) return DOUBT;
      used = start;
      start = levelStarts[--level] ?? 0;
      isObject = levelIsObject[level] === 1;
      next = WHAT_FOLLOWS;
      at++;
    } else if (isSpace(byte)) {
      if (compact) return DOUBT;
      at++;
    } else {
      const word = byte === LOWER_T ? TRUE : byte === LOWER_F ? FALSE : byte === LOWER_N ? NULL : undefined;
      if (word === undefined || (next & A_VALUE) === 0 || !isWord(source, at, word)) return DOUBT;
      next = WHAT_FOLLOWS;
      at += word.length;
    }
  }
  return at;
}

const SURROGATE = /\\u[dD][89a-fA-F]/;
const PROTO = codesOf("__proto__");

function isProto(source: Uint8Array, first: number): boolean {
  return PROTO.every((byte, place) => source[first + place] === byte);
}

/** Whether a key that begins at `other` is the one of this size at `first`. */
function sameKey(source: Uint8Array, other: number, first: number, size: number): boolean {
  for (let place = 0; place < size; place++) if (source[other + place] !== source[first + place]) return false;
  return source[other + size] === QUOTE;
}

function growKeys(): void {
  const [starts, digests] = [keyStarts, keyDigests];
  keyStarts = new Int32Array(starts.length * 2);
  keyDigests = new Int32Array(digests.length * 2);
  keyStarts.set(starts);
  keyDigests.set(digests);
}
