const encoder = new TextEncoder();

/** Texts that are copied here character by character: for these a call of the encoder takes longer. */
const SHORT = 512;

/**
 * The text that was encoded last, as UTF-8 with a zero behind it. Bytes of an array are read several times faster than the
 * characters of a text. Kept between calls, which do not overlap.
 */
export let encoded = new Uint8Array(64 * 1_024);

/** Writes a text into {@link encoded}. @returns how many bytes the text takes */
export function encode(text: string): number {
  const bytes = encodeShort(text) ?? encodeAny(text);
  encoded[bytes] = 0;
  return bytes;
}

/** @returns `undefined` where the text is long, or has characters of several bytes */
function encodeShort(text: string): number | undefined {
  const { length } = text;
  if (length > SHORT) return undefined;
  const target = encoded;
  let all = 0;
  for (let at = 0; at < length; at++) {
    const code = text.charCodeAt(at);
    target[at] = code;
    all |= code;
  }
  return all < 0x80 ? length : undefined;
}

function encodeAny(text: string): number {
  // Most texts are ASCII. A text of other characters, which take three bytes at most, may need a second try.
  if (text.length >= encoded.length) encoded = new Uint8Array(text.length + 1);
  let { read, written } = encoder.encodeInto(text, encoded);
  if (read < text.length || written === encoded.length) {
    encoded = new Uint8Array(text.length * 3 + 1);
    ({ read, written } = encoder.encodeInto(text, encoded));
  }
  return written;
}
