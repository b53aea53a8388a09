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
const SAFE_DIGITS = 15;
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

// Kept between calls, which do not overlap. The text as UTF-8: bytes of an array are read several times faster than the
// characters of a text. Of all open objects: where their keys begin, and a digest of each; by level: how many of the keys
// belong to the objects around it, and whether it is an object.
const encoder = new TextEncoder();
let bytes = new Uint8Array(64 * 1_024);
let keyStarts = new Int32Array(1_024);
let keyDigests = new Int32Array(1_024);
const levelStarts = new Int32Array(MAX_LEVELS + 1);
const levelIsObject = new Uint8Array(MAX_LEVELS + 1);

/**
 * Finds one member's text in each object of a list, such as the `facts` of each of a frame's `signals`, so that nobody has
 * to write the value anew.
 */
export interface MemberPlaces {
  /** Member of the document that is the list. */
  readonly list: string;
  /** Member of each object of the list whose value is an object. */
  readonly member: string;
  /**
   * Filled with two numbers for each object of the list, the beginning and the end of the member's text; both 0 where an
   * object has no such member. Empty where the text has white space between its tokens, or characters beyond ASCII: then it
   * is not the text that JSON.stringify would write, or the places are not those of characters.
   */
  readonly places: number[];
}

/** Levels of a document in which the list, its objects, and the members of these begin. */
const LIST_LEVEL = 1;
const ITEM_LEVEL = 2;
const MEMBER_LEVEL = 3;

/**
 * Whether a text is certainly JSON (RFC 8259), keeps to the limits, and means the same after JSON.parse. One pass that
 * builds nothing, because every signal goes through it. `false` is a doubt, not a refusal: JSON.parse and `findFaults`
 * decide. The doubtful among texts that are JSON are few: those with surrogate pairs written as escapes, with escapes in
 * keys, and with very many keys in one object.
 *
 * @param wanted - its `places` are to be used only where the answer is `true`
 */
export function isPlainJson(
  text: string,
  { depth: maxDepth, keys: maxKeys, keyLength }: JsonLimits,
  wanted?: MemberPlaces,
): boolean {
  if (text.includes("\\") && SURROGATE.test(text)) return false;
  const length = encode(text);
  const source = bytes;
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
  let at = 0;
  const places = wanted?.places;
  let inList = false;
  /** White space between tokens was seen. */
  let spaced = false;
  while (at < length) {
    const byte = source[at] ?? 0;
    if (byte === QUOTE) {
      const first = ++at;
      let inside = source[at] ?? 0;
      if ((next & A_KEY) === 0) {
        if ((next & A_VALUE) === 0) return false;
        while (inside !== QUOTE) {
          // Also the zero behind the text, where a text has no end.
          if (inside < SPACE) return false;
          if (inside === BACKSLASH) {
            const size = escapeSize(source, at);
            if (size === 0) return false;
            at += size;
          } else at++;
          inside = source[at] ?? 0;
        }
        at++;
        next = WHAT_FOLLOWS;
        continue;
      }
      while (inside !== QUOTE) {
        if (inside === BACKSLASH || inside < SPACE) return false;
        inside = source[++at] ?? 0;
      }
      const size = at - first;
      if (size > keyLength || used - start >= comparedKeys) return false;
      const head = source[first] ?? 0;
      if (head === UNDERSCORE && size === PROTO.length && isProto(source, first)) return false;
      const digest = (size << 24) ^ (head << 16) ^ ((source[first + (size >> 1)] ?? 0) << 8) ^ (source[at - 1] ?? 0);
      for (let other = start; other < used; other++) {
        if (digests[other] === digest && sameKey(source, starts[other] ?? 0, first, size)) return false;
      }
      if (used === digests.length) {
        growKeys();
        starts = keyStarts;
        digests = keyDigests;
      }
      starts[used] = first;
      digests[used++] = digest;
      if (source[++at] !== COLON) {
        spaced = true;
        while (isSpace(source[at])) at++;
        if (source[at] !== COLON) return false;
      }
      at++;
      next = A_VALUE;
    } else if (byte === COMMA) {
      if (next !== WHAT_FOLLOWS || level === 0) return false;
      next = isObject ? A_KEY : A_VALUE;
      at++;
    } else if (byte <= DIGIT_9 && (byte >= DIGIT_0 || byte === MINUS)) {
      if ((next & A_VALUE) === 0) return false;
      next = WHAT_FOLLOWS;
      const first = at;
      const digits = byte === MINUS ? at + 1 : at;
      at = endOfDigits(source, digits);
      // At least one digit, and a zero only where it is alone.
      if (at === digits || (source[digits] === DIGIT_0 && at > digits + 1)) return false;
      const end = source[at] ?? 0;
      if (end !== POINT && (end | CASE_BIT) !== LOWER_E && at - first <= SAFE_DIGITS) continue;
      // Not a short whole number, as most are.
      const point = at;
      if (end === POINT) {
        at = endOfDigits(source, point + 1);
        if (at === point + 1) return false;
      }
      const power = ((source[at] ?? 0) | CASE_BIT) === LOWER_E;
      if (power) {
        const sign = source[++at] ?? 0;
        const exponent = sign === MINUS || sign === PLUS ? at + 1 : at;
        at = endOfDigits(source, exponent);
        if (at === exponent) return false;
      }
      const size = at - first;
      if (!power && (size <= SAFE_DIGITS || (end === POINT && point - first <= SAFE_DIGITS && size < SAFE_LENGTH)))
        continue;
      if (size > SAFE_LENGTH || !isHeldByDouble(String.fromCharCode(...source.subarray(first, at)))) return false;
    } else if (byte === OPEN_OBJECT || byte === OPEN_LIST) {
      if ((next & A_VALUE) === 0 || level >= deepest) return false;
      if (places !== undefined && level <= MEMBER_LEVEL) {
        if (level === LIST_LEVEL)
          inList = byte === OPEN_LIST && isObject && isKey(source, starts[used - 1], wanted?.list);
        else if (inList && byte === OPEN_OBJECT) {
          if (level === ITEM_LEVEL) places.push(0, 0);
          else if (isObject && isKey(source, starts[used - 1], wanted?.member)) places[places.length - 2] = at;
        }
      }
      levelStarts[level] = start;
      levelIsObject[level++] = isObject ? 1 : 0;
      start = used;
      isObject = byte === OPEN_OBJECT;
      next = (isObject ? A_KEY : A_VALUE) | AN_END;
      at++;
    } else if (byte === CLOSE_OBJECT || byte === CLOSE_LIST) {
      if ((next & (AN_END | WHAT_FOLLOWS)) === 0 || level === 0 || isObject !== (byte === CLOSE_OBJECT)) return false;
      used = start;
      start = levelStarts[--level] ?? 0;
      isObject = levelIsObject[level] === 1;
      next = WHAT_FOLLOWS;
      at++;
      // The first object that ends in an item after the member has begun is the member.
      if (level === MEMBER_LEVEL && places !== undefined && inList && places.at(-2) !== 0 && places.at(-1) === 0)
        places[places.length - 1] = at;
    } else if (isSpace(byte)) {
      spaced = true;
      at++;
    } else {
      const word = byte === LOWER_T ? TRUE : byte === LOWER_F ? FALSE : byte === LOWER_N ? NULL : undefined;
      if (word === undefined || (next & A_VALUE) === 0 || !isWord(source, at, word)) return false;
      next = WHAT_FOLLOWS;
      at += word.length;
    }
  }
  if (level !== 0 || next !== WHAT_FOLLOWS) return false;
  if (places !== undefined && (spaced || length !== text.length)) places.length = 0;
  return true;
}

/** Whether the key that begins at `first` is this one, which has no characters beyond ASCII. */
function isKey(source: Uint8Array, first = 0, key = ""): boolean {
  for (let place = 0; place < key.length; place++) if (source[first + place] !== key.charCodeAt(place)) return false;
  return source[first + key.length] === QUOTE;
}

/** An escape of half a surrogate pair; the other half may be there. */
const SURROGATE = /\\u[dD][89a-fA-F]/;
const PROTO = codesOf("__proto__");

function isProto(source: Uint8Array, first: number): boolean {
  return PROTO.every((byte, place) => source[first + place] === byte);
}

/** Writes the text into {@link bytes}, and a zero behind it that ends a number there. @returns how many bytes the text takes */
function encode(text: string): number {
  // Most texts are ASCII. A text of other characters, which take three bytes at most, may need a second try.
  if (text.length >= bytes.length) bytes = new Uint8Array(text.length + 1);
  let { read, written } = encoder.encodeInto(text, bytes);
  if (read < text.length || written === bytes.length) {
    bytes = new Uint8Array(text.length * 3 + 1);
    ({ read, written } = encoder.encodeInto(text, bytes));
  }
  bytes[written] = 0;
  return written;
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
