/** Characters of a name. Two names are compared in time that grows with the product of their lengths. */
export const MAX_NAME_CHARS = 256;
const MAX_WILDCARDS = 8;

/** The rule of names, for people. */
export const LOCK_NAME_RULE =
  "a lock's name has 1 to 256 characters, in parts with / between them; * stands for any characters of a part, ** alone in a part for any number of parts";

/** Why a text is no name of a lock; `undefined`: it is one. */
export function lockNameProblem(text: string): string | undefined {
  if (text.length === 0 || text.length > MAX_NAME_CHARS) return LOCK_NAME_RULE;
  if (/[\p{Cc}\p{Cs}\u2028\u2029]/u.test(text) || text.trim() !== text)
    return "a lock's name has no control characters, and no blanks at its ends";
  const segments = text.split("/");
  // One thing has one name: /srv/app, /srv//app and /srv/x/../app would be three locks on one directory.
  if (segments.some((segment, place) => segment === "" && place > 0) || segments.some(isRelative))
    return "write the name without // and without a / at its end, and without the parts . and ..";
  if (segments.some((segment) => segment.includes("**") && segment !== "**"))
    return "** stands alone in its part, as in tree:/srv/app/**";
  if ((text.match(/\*+/g) ?? []).length > MAX_WILDCARDS) return `a lock's name has ${MAX_WILDCARDS} wildcards at most`;
  return undefined;
}

const isRelative = (segment: string) => segment === "." || segment === "..";

/** The name of a lock: of one thing, or with wildcards of all things whose names it matches. */
export class LockName {
  readonly text: string;
  readonly segments: readonly string[];
  readonly isPattern: boolean;
  /** What everything that the name matches begins with. */
  readonly prefix: string;

  /** @param text - for which {@link lockNameProblem} finds none */
  constructor(text: string) {
    this.text = text;
    this.segments = text.split("/");
    const wildcard = text.indexOf("*");
    this.isPattern = wildcard !== -1;
    // A ** may match no part at all, and then the / before it is not there either.
    this.prefix = wildcard === -1 ? text : text.slice(0, wildcard).replace(/\/$/, "");
  }

  /** Whether something has a name that both match. */
  overlaps(other: LockName): boolean {
    if (!this.isPattern && !other.isPattern) return this.text === other.text;
    const [shorter, longer] = this.prefix.length < other.prefix.length ? [this, other] : [other, this];
    if (!longer.prefix.startsWith(shorter.prefix)) return false;
    return meet(this.segments, other.segments, isDeep, segmentsMeet);
  }
}

const isDeep = (segment: string) => segment === "**";
const isWild = (character: string) => character === "*";

const segmentsMeet = (one: string, other: string): boolean =>
  one.includes("*") || other.includes("*") ? meet(one, other, isWild, (left, right) => left === right) : one === other;

/**
 * Whether two sequences with wildcards, each of which stands for any number of items, match something in common: goes through
 * all pairs of places once, the last first.
 */
function meet(
  one: ArrayLike<string>,
  other: ArrayLike<string>,
  isAny: (item: string) => boolean,
  same: (left: string, right: string) => boolean,
): boolean {
  const width = other.length + 1;
  let below = new Uint8Array(width);
  for (let i = one.length; i >= 0; i--) {
    const row = new Uint8Array(width);
    const left = one[i];
    for (let j = other.length; j >= 0; j--) {
      const right = other[j];
      if (left === undefined && right === undefined) row[j] = 1;
      // A wildcard stands for nothing, or for the next item of the other, which may be a wildcard itself.
      else if (left !== undefined && isAny(left)) row[j] = below[j] || (right === undefined ? 0 : (row[j + 1] ?? 0));
      else if (right !== undefined && isAny(right)) row[j] = row[j + 1] || (left === undefined ? 0 : (below[j] ?? 0));
      else if (left !== undefined && right !== undefined && same(left, right)) row[j] = below[j + 1] ?? 0;
    }
    below = row;
  }
  return below[0] === 1;
}
