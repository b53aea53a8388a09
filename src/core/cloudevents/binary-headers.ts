import type { FieldError } from "../problem/field-error.ts";

const PREFIX = "ce-";

/** JSON pointer of an attribute that came as a header. */
export const headerPointer = (attribute: string): string =>
  attribute === "datacontenttype" ? "/header/content-type" : `/header/${PREFIX}${attribute}`;

export type HeaderReading =
  | { readonly ok: true; readonly attributes: Readonly<Record<string, string>> }
  | { readonly ok: false; readonly errors: readonly FieldError[] };

/**
 * Reads the attributes of an event in binary mode. A value may be a quoted string, whose quotes go first; one round of
 * percent-decoding follows.
 *
 * @param headers - with their names in lower case
 * @see https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/bindings/http-protocol-binding.md#3132-http-header-values
 */
export function readHeaders(headers: Iterable<readonly [string, string]>): HeaderReading {
  const attributes: Record<string, string> = {};
  const errors: FieldError[] = [];
  for (const [name, value] of headers) {
    if (name === "content-type") attributes.datacontenttype = value;
    if (!name.startsWith(PREFIX)) continue;
    const attribute = name.slice(PREFIX.length);
    const decoded = decodeValue(value);
    if (attribute === "datacontenttype")
      errors.push({
        pointer: `/header/${name}`,
        message: "in binary mode datacontenttype is the header Content-Type: leave this one out",
      });
    else if (decoded === undefined)
      errors.push({
        pointer: `/header/${name}`,
        message: `the attribute ${attribute} is not UTF-8 once it is percent-decoded: percent-encode the bytes of its UTF-8`,
      });
    else attributes[attribute] = decoded;
  }
  return errors.length === 0 ? { ok: true, attributes } : { ok: false, errors };
}

/** @returns `undefined` for a value that is no UTF-8, or that holds characters which only percent-encoding can say */
function decodeValue(value: string): string | undefined {
  const text = /^"(?:[^"\\]|\\.)*"$/s.test(value) ? value.slice(1, -1).replace(/\\(.)/gs, "$1") : value;
  // How a raw byte beyond ASCII was meant is not said anywhere.
  if (/[^\x20-\x7e\t]/.test(text)) return undefined;
  try {
    // A percent sign that begins no encoding is meant as it is: senders of the first drafts encode nothing.
    return decodeURIComponent(text.replace(/%(?![0-9A-Fa-f]{2})/g, "%25"));
  } catch {
    return undefined;
  }
}
