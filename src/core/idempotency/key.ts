/** The longest key, in characters. */
const MAX_CHARS = 255;

/**
 * Reads the header `Idempotency-Key`: a quoted string of structured fields, or, as most clients send it, the key alone.
 *
 * @returns `undefined` where the header holds no key: 1 to 255 visible characters of ASCII
 * @see https://datatracker.ietf.org/doc/html/draft-ietf-httpapi-idempotency-key-header-07#section-2.1
 * @see https://www.rfc-editor.org/rfc/rfc9651#section-3.3.3
 */
export function readIdempotencyKey(header: string): string | undefined {
  const text = header.trim();
  const [, quoted] = /^"((?:[^"\\]|\\["\\])*)"$/.exec(text) ?? [];
  const key = quoted === undefined ? text : quoted.replaceAll(/\\(["\\])/g, "$1");
  if (quoted === undefined && text.startsWith('"')) return undefined;
  return key.length <= MAX_CHARS && /^[!-~](?:[ -~]*[!-~])?$/.test(key) ? key : undefined;
}
