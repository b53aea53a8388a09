/** Characters and tokens of JSON (RFC 8259) in bytes of UTF-8. Texts end with a zero, which is in no token. */

const TAB = 9;
const LINE_FEED = 10;
const RETURN = 13;
export const SPACE = 32;
export const QUOTE = 34;
export const PLUS = 43;
export const COMMA = 44;
export const MINUS = 45;
export const POINT = 46;
export const DIGIT_0 = 48;
export const DIGIT_9 = 57;
export const COLON = 58;
export const OPEN_LIST = 91;
export const BACKSLASH = 92;
export const CLOSE_LIST = 93;
export const UNDERSCORE = 95;
export const LOWER_E = 101;
export const LOWER_F = 102;
export const LOWER_N = 110;
export const LOWER_T = 116;
const LOWER_U = 117;
export const OPEN_OBJECT = 123;
export const CLOSE_OBJECT = 125;
/** Small and capital letters differ by this bit alone; so do the brackets of objects and of lists. */
export const CASE_BIT = 32;

export const codesOf = (text: string) => Array.from(text, (char) => char.charCodeAt(0));
export const TRUE = codesOf("true");
export const FALSE = codesOf("false");
export const NULL = codesOf("null");
/** By byte, 1: may follow a backslash; is a digit of an escape. */
const ESCAPED = byteTable('"\\/bfnrt');
const HEX = byteTable("0123456789abcdefABCDEF");

function byteTable(members: string): Uint8Array {
  const table = new Uint8Array(256);
  for (const code of codesOf(members)) table[code] = 1;
  return table;
}

export function isSpace(byte: number | undefined): boolean {
  return byte === SPACE || byte === LINE_FEED || byte === RETURN || byte === TAB;
}

export function endOfDigits(source: Uint8Array, from: number): number {
  let at = from;
  let byte = source[at] ?? 0;
  while (byte >= DIGIT_0 && byte <= DIGIT_9) byte = source[++at] ?? 0;
  return at;
}

/** @param at - of the backslash @returns how many bytes the escape takes; 0: it is none */
export function escapeSize(source: Uint8Array, at: number): number {
  const kind = source[at + 1] ?? 0;
  if (kind !== LOWER_U) return ESCAPED[kind] === 1 ? 2 : 0;
  for (let place = at + 2; place < at + 6; place++) if (HEX[source[place] ?? 0] !== 1) return 0;
  return 6;
}

export function isWord(source: Uint8Array, at: number, word: readonly number[]): boolean {
  for (let place = 1; place < word.length; place++) if (source[at + place] !== word[place]) return false;
  return true;
}
