/**
 * Tokens are `gng_<id>_<secret>`. Secret scanners recognise a leaked token by the prefix. The id finds the record without
 * a search. The secret is 32 random bytes, which nobody can guess, so a plain SHA-256 of it can be stored.
 */
const TOKEN = /^gng_([a-z2-7]{12})_([A-Za-z0-9_-]{43})$/;
const ID_ALPHABET = "abcdefghijklmnopqrstuvwxyz234567";

export const TOKEN_ID_BYTES = 12;
export const TOKEN_SECRET_BYTES = 32;

export interface TokenParts {
  readonly id: string;
  readonly secret: string;
}

/** @returns `undefined` for text that does not have the form of a token */
export function parseToken(text: string): TokenParts | undefined {
  const [, id, secret] = TOKEN.exec(text) ?? [];
  return id === undefined || secret === undefined ? undefined : { id, secret };
}

/**
 * @param idBytes - {@link TOKEN_ID_BYTES} random bytes, of which five bits each are used
 * @param secretBytes - {@link TOKEN_SECRET_BYTES} random bytes
 */
export function makeToken(idBytes: Uint8Array, secretBytes: Uint8Array): TokenParts & { readonly token: string } {
  const id = Array.from(idBytes, (byte) => ID_ALPHABET[byte & 31]).join("");
  const secret = base64url(secretBytes);
  return { id, secret, token: `gng_${id}_${secret}` };
}

function base64url(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replaceAll("=", "");
}
