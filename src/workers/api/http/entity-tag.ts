import type { TypedResponse } from "hono";

/** Headers of an answer that has a tag. It depends on the token, and whoever keeps it asks each time. */
export const tagged = (etag: string) => ({ ETag: etag, "Cache-Control": "private, no-cache" });

/** The answer to a caller that has it already: 304, and nothing else. */
export function notModified(etag: string): TypedResponse<Record<string, never>, 304, string> {
  const response: unknown = new Response(null, { status: 304, headers: tagged(etag) });
  return response as TypedResponse<Record<string, never>, 304, string>;
}

/**
 * Whether the caller has the answer already.
 *
 * @param header - `If-None-Match`
 * @see https://www.rfc-editor.org/rfc/rfc9110#section-13.1.2: the comparison is the weak one
 */
export function namesTag(header: string | undefined, etag: string): boolean {
  if (header === undefined) return false;
  const bare = (tag: string) => tag.trim().replace(/^W\//, "");
  return header.trim() === "*" || header.split(",").some((tag) => bare(tag) === bare(etag));
}
