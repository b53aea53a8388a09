import type { JsonLimits } from "./limits.ts";
import { isHeldByDouble } from "./number-text.ts";

const QUOTE = 34;
const PLUS = 43;
const COMMA = 44;
const MINUS = 45;
const POINT = 46;
const DIGIT_0 = 48;
const DIGIT_9 = 57;
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
 * Whether a text that is JSON certainly keeps to the limits, and means the same after JSON.parse. One pass that builds
 * nothing, because every signal goes through it. `false` is a doubt, not a refusal: `findFaults` decides. The doubtful are
 * few: texts with surrogate pairs written as escapes, with escapes in keys, and with very many keys in one object.
 */
export function isPlainJson(text: string, { depth: maxDepth, keys: maxKeys, keyLength }: JsonLimits): boolean {
  if (text.includes("\\") && SURROGATE.test(text)) return false;
  const length = encode(text);
  const source = bytes;
  const comparedKeys = Math.min(maxKeys, MAX_COMPARED);
  let level = 0;
  /** Keys in use, and those of them that belong to objects around the innermost one. */
  let used = 0;
  let start = 0;
  let expectsKey = false;
  for (let at = 0; at < length; ) {
    const byte = source[at] ?? 0;
    if (byte === QUOTE) {
      const first = ++at;
      if (!expectsKey) {
        for (let inside = source[at]; inside !== QUOTE; inside = source[at]) at += inside === BACKSLASH ? 2 : 1;
        at++;
        continue;
      }
      expectsKey = false;
      for (let inside = source[at]; inside !== QUOTE; inside = source[++at]) if (inside === BACKSLASH) return false;
      const size = at - first;
      if (size > keyLength || used - start >= comparedKeys) return false;
      const head = source[first] ?? 0;
      if (size === PROTO.length && head === UNDERSCORE && isProto(source, first)) return false;
      const digest = (size << 24) ^ (head << 16) ^ ((source[first + (size >> 1)] ?? 0) << 8) ^ (source[at - 1] ?? 0);
      for (let other = start; other < used; other++) {
        if (keyDigests[other] === digest && sameKey(source, keyStarts[other] ?? 0, first, size)) return false;
      }
      if (used === keyDigests.length) growKeys();
      keyStarts[used] = first;
      keyDigests[used++] = digest;
      at++;
    } else if (byte === COMMA) {
      expectsKey = levelIsObject[level] === 1;
      at++;
    } else if (byte === OPEN_OBJECT || byte === OPEN_LIST) {
      if (level >= maxDepth || level >= MAX_LEVELS) return false;
      levelStarts[level++] = start;
      start = used;
      expectsKey = byte === OPEN_OBJECT;
      levelIsObject[level] = expectsKey ? 1 : 0;
      at++;
    } else if (byte === CLOSE_OBJECT || byte === CLOSE_LIST) {
      used = start;
      start = levelStarts[--level] ?? 0;
      expectsKey = false;
      at++;
    } else if ((byte >= DIGIT_0 && byte <= DIGIT_9) || byte === MINUS) {
      const first = at;
      let point = -1;
      let power = false;
      for (at++; at < length; at++) {
        const next = source[at] ?? 0;
        if (next >= DIGIT_0 && next <= DIGIT_9) continue;
        if (next === POINT) point = at;
        else if ((next | CASE_BIT) === LOWER_E) power = true;
        else if (!power || (next !== MINUS && next !== PLUS)) break;
      }
      const size = at - first;
      if (!power && (size <= SAFE_DIGITS || (point !== -1 && point - first <= SAFE_DIGITS && size < SAFE_LENGTH)))
        continue;
      if (size > SAFE_LENGTH || !isHeldByDouble(String.fromCharCode(...source.subarray(first, at)))) return false;
    } else {
      // White space, colons, and the letters of true, false and null.
      at++;
    }
  }
  return true;
}

/** An escape of half a surrogate pair; the other half may be there. */
const SURROGATE = /\\u[dD][89a-fA-F]/;
const PROTO = Array.from("__proto__", (char) => char.charCodeAt(0));

function isProto(source: Uint8Array, first: number): boolean {
  return PROTO.every((byte, place) => source[first + place] === byte);
}

/** Writes the text into {@link bytes}. @returns how many it takes */
function encode(text: string): number {
  // Most texts are ASCII. A text of other characters, which take three bytes at most, may need a second try.
  if (text.length > bytes.length) bytes = new Uint8Array(text.length);
  let { read, written } = encoder.encodeInto(text, bytes);
  if (read < text.length) {
    bytes = new Uint8Array(text.length * 3);
    ({ read, written } = encoder.encodeInto(text, bytes));
  }
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
