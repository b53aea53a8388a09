import {
  makeToken,
  type SecretKind,
  TOKEN_ID_BYTES,
  TOKEN_SECRET_BYTES,
  type TokenParts,
} from "../../core/access/token.ts";

/** A secret as it is stored and travels: the id that finds it, and its SHA-256. */
export interface SecretDigest {
  readonly id: string;
  readonly digest: ArrayBuffer;
}

/** Stands in for a missing record, so that an unknown id takes as long to refuse as a wrong secret. */
const NO_DIGEST = new Uint8Array(32);

/** Whether a record has this digest. @param stored - `undefined`: there is no record, and nothing is its secret */
export function hasDigest(stored: ArrayBuffer | undefined, digest: ArrayBuffer): boolean {
  const same = crypto.subtle.timingSafeEqual(stored ?? NO_DIGEST, digest);
  return same && stored !== undefined;
}

/** A token, session or code of random bytes. */
export const randomToken = (kind?: SecretKind): TokenParts & { readonly token: string } =>
  makeToken(
    crypto.getRandomValues(new Uint8Array(TOKEN_ID_BYTES)),
    crypto.getRandomValues(new Uint8Array(TOKEN_SECRET_BYTES)),
    kind,
  );
