/** @see https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md#signature-scheme */
const PREFIX = "whsec_";
export const SECRET_BYTES = 32;
export const SECRET_RULE = "give whsec_ and 24 to 64 bytes in base64, or leave the secret out to have one generated";

/** @param bytes - {@link SECRET_BYTES} random bytes */
export function makeSecret(bytes: Uint8Array): string {
  return PREFIX + btoa(String.fromCharCode(...bytes));
}

/** @returns the key, or `undefined` for text that is not a secret */
export function keyOf(secret: string): Uint8Array<ArrayBuffer> | undefined {
  if (!secret.startsWith(PREFIX)) return undefined;
  try {
    const key = Uint8Array.from(atob(secret.slice(PREFIX.length)), (char) => char.charCodeAt(0));
    return key.length >= 24 && key.length <= 64 ? key : undefined;
  } catch {
    return undefined; // not base64
  }
}
