/** The versions that a condition names; `*`: any that there is. */
export type NamedVersions = "*" | readonly number[];

/** The tag of a version, as `ETag` has it. */
export const tagOf = (version: number): string => `"${version}"`;

const TAG = /^(?:W\/)?"(\d{1,15})"$/;
const MAX_TAGS = 32;

/**
 * Reads `If-Match` or `If-None-Match`. A weak tag counts as the strong one: a version names one state of a note exactly, and
 * proxies that pack an answer weaken its tag.
 *
 * @returns `undefined`: the header is not valid. A tag of another form names no version of a note, and matches none
 * @see https://www.rfc-editor.org/rfc/rfc9110#section-13.1
 */
export function readTags(header: string): NamedVersions | undefined {
  const text = header.trim();
  if (text === "*") return "*";
  const tags = text.split(",").map((tag) => tag.trim());
  if (tags.length > MAX_TAGS || !tags.every((tag) => /^(?:W\/)?"[\x21\x23-\x7e]*"$/.test(tag))) return undefined;
  return tags.flatMap((tag) => {
    const version = TAG.exec(tag)?.[1];
    return version === undefined ? [] : [Number(version)];
  });
}

export const TAGS_RULE = 'give the ETag of the note as you got it, such as "42" with its quotes, or *';

/** Whether a note of this version is one of those that are named. @param version - `undefined`: there is no note */
export const isNamed = (named: NamedVersions, version: number | undefined): boolean =>
  version !== undefined && (named === "*" || named.includes(version));
