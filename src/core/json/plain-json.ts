import type { JsonLimits } from "./limits.ts";
import { isHeldByDouble } from "./number-text.ts";

const QUOTE = 34;
const PLUS = 43;
const SPACE = 32;
const COMMA = 44;
const MINUS = 45;
const POINT = 46;
const DIGIT_0 = 48;
const DIGIT_9 = 57;
const COLON = 58;
const OPEN_LIST = 91;
const BACKSLASH = 92;
const CLOSE_LIST = 93;
const UNDERSCORE = 95;
const LOWER_E = 101;
const OPEN_OBJECT = 123;
const CLOSE_OBJECT = 125;
/** Small and capital letters differ by this bit alone; so do the brackets of objects and of lists. */
const CASE_BIT = 32;

/** Digits that every double holds, and longer numbers with a point of which it holds the nearest. */
const SAFE_DIGITS = 15;
const SAFE_LENGTH = 300;

/** Keys of one object that are compared with each other here. Objects with more are left to the thorough search. */
const MAX_COMPARED = 128;
const MAX_LEVELS = 1_024;

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
 * Whether a text that is JSON certainly keeps to the limits, and means the same after JSON.parse. One pass that builds
 * nothing, because every signal goes through it. `false` is a doubt, not a refusal: `findFaults` decides. The doubtful are
 * few: texts with surrogate pairs written as escapes, with escapes in keys, and with very many keys in one object.
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
  let expectsKey = false;
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
      if (!expectsKey) {
        while (inside !== QUOTE) {
          at += inside === BACKSLASH ? 2 : 1;
          inside = source[at] ?? QUOTE;
        }
        at++;
        continue;
      }
      expectsKey = false;
      while (inside !== QUOTE) {
        if (inside === BACKSLASH) return false;
        inside = source[++at] ?? QUOTE;
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
      // The colon, where no white space stands before it.
      if (source[at + 1] !== COLON) spaced = true;
      at += 2;
    } else if (byte === COMMA) {
      expectsKey = isObject;
      at++;
    } else if (byte <= DIGIT_9 && (byte >= DIGIT_0 || byte === MINUS)) {
      const first = at;
      let next = source[++at] ?? 0;
      while (next >= DIGIT_0 && next <= DIGIT_9) next = source[++at] ?? 0;
      if (next !== POINT && (next | CASE_BIT) !== LOWER_E && at - first <= SAFE_DIGITS) continue;
      // Not a short whole number, as most are.
      let point = -1;
      let power = false;
      for (; at < length; next = source[++at] ?? 0) {
        if (next >= DIGIT_0 && next <= DIGIT_9) continue;
        if (next === POINT) point = at;
        else if ((next | CASE_BIT) === LOWER_E) power = true;
        else if (!power || (next !== MINUS && next !== PLUS)) break;
      }
      const size = at - first;
      if (!power && (size <= SAFE_DIGITS || (point !== -1 && point - first <= SAFE_DIGITS && size < SAFE_LENGTH)))
        continue;
      if (size > SAFE_LENGTH || !isHeldByDouble(String.fromCharCode(...source.subarray(first, at)))) return false;
    } else if (byte === OPEN_OBJECT || byte === OPEN_LIST) {
      if (level >= deepest) return false;
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
      expectsKey = isObject;
      at++;
    } else if (byte === CLOSE_OBJECT || byte === CLOSE_LIST) {
      used = start;
      start = levelStarts[--level] ?? 0;
      isObject = levelIsObject[level] === 1;
      expectsKey = false;
      at++;
      // The first object that ends in an item after the member has begun is the member.
      if (level === MEMBER_LEVEL && places !== undefined && inList && places.at(-2) !== 0 && places.at(-1) === 0)
        places[places.length - 1] = at;
    } else {
      if (byte <= SPACE) spaced = true;
      at++;
    }
  }
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
const PROTO = Array.from("__proto__", (char) => char.charCodeAt(0));

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
