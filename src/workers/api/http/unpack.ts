import { inflateRawSync, unzipSync } from "node:zlib";
import { problem } from "../../../core/problem/problem.ts";
import { Refusal } from "./refusal.ts";

/** Compressions of request bodies, as `Content-Encoding` names them. */
export const BODY_ENCODINGS = ["gzip", "deflate"] as const;
export type BodyEncoding = (typeof BODY_ENCODINGS)[number];

/**
 * The compression that a `Content-Encoding` names.
 *
 * @returns null for a body that is not compressed, undefined for a compression that is not accepted
 */
export function bodyEncoding(header: string | null): BodyEncoding | null | undefined {
  const names = (header ?? "")
    .split(",")
    .map((name) => name.trim().toLowerCase())
    .filter((name) => name !== "" && name !== "identity")
    .map((name) => (name === "x-gzip" ? "gzip" : name));
  const [first, second] = names;
  if (first === undefined) return null;
  return second === undefined ? BODY_ENCODINGS.find((encoding) => encoding === first) : undefined;
}

/**
 * Unpacks a compressed body. The unpacking ends as soon as the result exceeds `limit`: a small body can unpack to
 * gigabytes. `DecompressionStream` offers no such bound, because it unpacks whatever is written to it at once.
 *
 * @throws Refusal where the body is not compressed so, or was cut
 * @throws what `tooLarge` makes where the result takes more than `limit` bytes
 */
export function unpack(bytes: Uint8Array, encoding: BodyEncoding, limit: number, tooLarge: () => Error): Uint8Array {
  try {
    const options = { maxOutputLength: limit };
    // Senders disagree on what "deflate" is: RFC 9110 means the zlib format, some send the bare stream.
    if (encoding === "deflate" && !hasZlibHeader(bytes)) return inflateRawSync(bytes, options);
    return unzipSync(bytes, options);
  } catch (error) {
    if (error instanceof RangeError) throw tooLarge();
    throw new Refusal(
      problem(
        "broken-body",
        400,
        "The body cannot be unpacked",
        `The request says Content-Encoding: ${encoding}, but its body is not ${encoding}, or is incomplete. ` +
          "Compress the body again, or send it without Content-Encoding.",
      ),
    );
  }
}

/** https://www.rfc-editor.org/rfc/rfc1950#section-2.2 */
function hasZlibHeader([cmf = 0, flags = 0]: Uint8Array): boolean {
  return (cmf & 0x0f) === 8 && ((cmf << 8) | flags) % 31 === 0;
}
