import { createHash } from "node:crypto";

/** A name is 255 bytes at most; what the agent adds to a name while it handles a file takes less than 55. */
const MAX_NAME_BYTES = 200;
const HASH_DIGITS = 12;

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** @returns the name as text; `undefined` for bytes that are not UTF-8, which no text names */
export function textOfName(bytes: Uint8Array): string | undefined {
  try {
    return decoder.decode(bytes);
  } catch {
    return undefined;
  }
}

/** A name that is not UTF-8 as text: each byte that is not visible ASCII is written as `%E9`. */
export function escapedName(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) =>
    byte > 0x20 && byte < 0x7f && byte !== 0x25
      ? String.fromCharCode(byte)
      : `%${byte.toString(16).toUpperCase().padStart(2, "0")}`,
  ).join("");
}

/**
 * The name itself, or a shorter one for a name that is so long that nothing could be added to it: its beginning and a
 * digest of the whole, with the same extension. The same name always gives the same short name.
 */
export function shortName(name: string, extension = ".json", maxBytes = MAX_NAME_BYTES): string {
  if (Buffer.byteLength(name) <= maxBytes) return name;
  const digest = createHash("sha256").update(name).digest("hex").slice(0, HASH_DIGITS);
  const rest = `~${digest}${extension}`;
  return `${beginningOf(name, maxBytes - Buffer.byteLength(rest))}${rest}`;
}

/** As many whole characters as fit. */
function beginningOf(text: string, maxBytes: number): string {
  let bytes = 0;
  let end = 0;
  for (const character of text) {
    bytes += Buffer.byteLength(character);
    if (bytes > maxBytes) break;
    end += character.length;
  }
  return text.slice(0, end);
}
