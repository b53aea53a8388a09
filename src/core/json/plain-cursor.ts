import { encode, encoded } from "./encoded-text.ts";
import { BACKSLASH, codesOf, DIGIT_0, endOfDigits, OPEN_OBJECT, QUOTE, SPACE } from "./json-bytes.ts";
import { JSON_LIMITS } from "./limits.ts";
import { DOUBT, hasHalfPairs, plainValueEnd, SAFE_DIGITS } from "./plain-json.ts";

/** A key as it stands in a text: in quotes, and with its colon. */
export interface Member<Name extends string> {
  readonly name: Name;
  readonly bytes: readonly number[];
}

export const members = <const Name extends string>(...names: readonly Name[]): readonly Member<Name>[] =>
  names.map((name) => ({ name, bytes: codesOf(`"${name}":`) }));

/**
 * Reads a JSON text of a known form from its beginning to its end: in ASCII, without white space between tokens. Each call
 * takes the next token, or gives `undefined` where the token is another one or may be no JSON: then the text is to be left
 * to JSON.parse.
 */
export class PlainCursor {
  readonly #text: string;
  #at = 0;

  private constructor(text: string) {
    this.#text = text;
  }

  /** The cursor is good until another text is encoded. @returns `undefined` where a text has another form for certain */
  static over(text: string): PlainCursor | undefined {
    if (hasHalfPairs(text) || encode(text) !== text.length) return undefined;
    return new PlainCursor(text);
  }

  get isAtEnd(): boolean {
    return this.#at === this.#text.length;
  }

  /** Takes a byte where it is the next one. */
  take(byte: number): boolean {
    if (encoded[this.#at] !== byte) return false;
    this.#at++;
    return true;
  }

  /** Takes a key and its colon. */
  member<Name extends string>(known: readonly Member<Name>[]): Name | undefined {
    for (const { name, bytes } of known) {
      let place = 0;
      while (place < bytes.length && encoded[this.#at + place] === bytes[place]) place++;
      if (place < bytes.length) continue;
      this.#at += place;
      return name;
    }
    return undefined;
  }

  /**
   * Takes a text without escapes.
   *
   * @param last - the text that stood in this place before. The same one is given again and not made anew: in most lists one
   * source sends one kind of signal
   */
  text(last?: string): string | undefined {
    const source = encoded;
    if (source[this.#at] !== QUOTE) return undefined;
    const from = this.#at + 1;
    let to = from;
    for (let byte = source[to] ?? 0; byte !== QUOTE; byte = source[++to] ?? 0) {
      // Also the zero behind the text, where a text has no end.
      if (byte === BACKSLASH || byte < SPACE) return undefined;
    }
    this.#at = to + 1;
    return last !== undefined && isSame(last, from, to) ? last : ownText(this.#text.slice(from, to));
  }

  /** Takes a whole number from 0. */
  count(): number | undefined {
    const from = this.#at;
    const to = endOfDigits(encoded, from);
    const digits = to - from;
    if (digits === 0 || digits > SAFE_DIGITS || (encoded[from] === DIGIT_0 && digits > 1)) return undefined;
    let count = 0;
    for (let at = from; at < to; at++) count = count * 10 + (encoded[at] ?? 0) - DIGIT_0;
    this.#at = to;
    return count;
  }

  /** Takes an object that keeps to the limits of content. @returns its text, which means the same after JSON.parse */
  object(): string | undefined {
    const from = this.#at;
    if (encoded[from] !== OPEN_OBJECT) return undefined;
    const to = plainValueEnd(from, JSON_LIMITS, true);
    if (to === DOUBT) return undefined;
    this.#at = to;
    return this.#text.slice(from, to);
  }
}

/**
 * The same text in memory of its own. V8 keeps a part of a text as a view of the whole, so that a name which is remembered
 * would keep a frame of a megabyte with it. A text that is put together is copied when a part of it is taken.
 */
const ownText = (part: string): string => ` ${part}`.slice(1);

function isSame(text: string, from: number, to: number): boolean {
  if (text.length !== to - from) return false;
  for (let place = 0; place < text.length; place++) if (text.charCodeAt(place) !== encoded[from + place]) return false;
  return true;
}
