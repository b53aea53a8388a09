/**
 * Tokens are `gng_<id>_<secret><checksum>`. Secret scanners recognise a leaked token by the prefix and the checksum. The
 * id finds the record without a search. The secret is 32 random bytes, which nobody can guess, so a plain SHA-256 of it
 * can be stored.
 *
 * The checksum lets the Worker refuse a token that was made up, cut or mistyped without asking the directory, which is one
 * object for the whole deployment. It is no secret: whoever knows this file can compute it.
 *
 * Tokens of earlier versions have no checksum. They are told apart by their length and stay valid.
 *
 * The secrets of browsers have the same form under prefixes of their own, so that none of them passes for a token.
 */
const TOKEN = /^(gn[gsc])_([a-z2-7]{12})_([A-Za-z0-9_-]{43})([0-9A-Za-z]{6})?$/;
const ID_ALPHABET = "abcdefghijklmnopqrstuvwxyz234567";

export const TOKEN_ID_BYTES = 12;
export const TOKEN_SECRET_BYTES = 32;

/** A token, the session of a browser, or the code with which a session begins. */
export type SecretKind = "gng" | "gns" | "gnc";

export interface TokenParts {
  readonly id: string;
  readonly secret: string;
}

/** @returns `undefined` for text that does not have the form of a token, or has another checksum than its own */
export function parseToken(text: string, kind: SecretKind = "gng"): TokenParts | undefined {
  const [, prefix, id, secret, checksum] = TOKEN.exec(text) ?? [];
  if (prefix !== kind || id === undefined || secret === undefined) return undefined;
  const genuine = checksum === undefined ? kind === "gng" : checksum === checksumOf(id, secret);
  return genuine ? { id, secret } : undefined;
}

/**
 * @param idBytes - {@link TOKEN_ID_BYTES} random bytes, of which five bits each are used
 * @param secretBytes - {@link TOKEN_SECRET_BYTES} random bytes
 */
export function makeToken(
  idBytes: Uint8Array,
  secretBytes: Uint8Array,
  kind: SecretKind = "gng",
): TokenParts & { readonly token: string } {
  const id = Array.from(idBytes, (byte) => ID_ALPHABET[byte & 31]).join("");
  const secret = base64url(secretBytes);
  return { id, secret, token: `${kind}_${id}_${secret}${checksumOf(id, secret)}` };
}

const BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/** CRC-32 of `<id>_<secret>` in six digits to the base of 62. */
function checksumOf(id: string, secret: string): string {
  let rest = crc32(`${id}_${secret}`);
  let digits = "";
  for (let place = 0; place < 6; place++) {
    digits = `${BASE62[rest % 62]}${digits}`;
    rest = Math.floor(rest / 62);
  }
  return digits;
}

/** CRC-32 as in gzip and PNG, of ASCII text. Bit by bit: a token is short, and a table would be longer than this. */
function crc32(text: string): number {
  let crc = 0xffffffff;
  for (let index = 0; index < text.length; index++) {
    crc ^= text.charCodeAt(index);
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return (crc ^ 0xffffffff) >>> 0;
}

function base64url(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replaceAll("=", "");
}
