import { LIMITS } from "../signals/limits.ts";
import { IDENTIFIER, SIGNAL_NAME } from "../signals/signal.ts";

const MAPPED_NAME = "ce.";
const MAPPED_ID = "ce~";

/**
 * The name of the signal that an event of this type is. Most types (`com.github.push`) are names as they are. Of another
 * one each character that no name holds becomes `_`, behind `ce.`, so that no type takes the name of a signal on which
 * Ganglion acts; several types may share such a name, and the signal keeps the type itself.
 */
export function nameOfType(type: string): string {
  if (SIGNAL_NAME.test(type)) return type;
  return `${MAPPED_NAME}${type.replace(/[^A-Za-z0-9_.:-]/gu, "_")}`.slice(0, LIMITS.nameLength);
}

/**
 * The id of the signal that an event of this id is: the id itself, or, where it holds other characters than identifiers do,
 * `ce~` and the id with `~XX` for each byte of the others. No two ids become the same.
 *
 * @returns `undefined` where it would be longer than an identifier may be
 */
export function identifierOf(id: string): string | undefined {
  if (IDENTIFIER.test(id) && !id.startsWith(MAPPED_ID)) return id;
  const mapped = MAPPED_ID + id.replace(/[^A-Za-z0-9._:@-]/gu, escaped);
  return mapped.length <= LIMITS.identifierLength ? mapped : undefined;
}

/** The id of an event that {@link identifierOf} made an identifier of. */
export function idOfIdentifier(identifier: string): string {
  if (!identifier.startsWith(MAPPED_ID)) return identifier;
  const percent = identifier.slice(MAPPED_ID.length).replaceAll("~", "%");
  try {
    const id = decodeURIComponent(percent);
    return identifierOf(id) === identifier ? id : identifier;
  } catch {
    return identifier; // an identifier of a sender's own that looks like one of these
  }
}

const encoder = new TextEncoder();

function escaped(text: string): string {
  return Array.from(encoder.encode(text), (byte) => `~${byte.toString(16).toUpperCase().padStart(2, "0")}`).join("");
}

/** A source as the URI reference that an event must name: each character that no URI holds is percent-encoded. */
export function uriReferenceOf(source: string): string {
  return source
    .toWellFormed()
    .replace(/[^A-Za-z0-9\-._~:/?#[\]@!$&'()*+,;=%]|%(?![0-9A-Fa-f]{2})/gu, (text) =>
      escaped(text).replaceAll("~", "%"),
    );
}
