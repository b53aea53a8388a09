/**
 * The part of a text that is kept to recognise near-duplicates. Both lists are sorted and without duplicates.
 *
 * `shingles` is a bottom-k sketch: the smallest hashes of all runs of three characters. Up to {@link KEEP} of them the
 * comparison is exact; beyond that it is an estimate of the Jaccard index, off by about 1/√KEEP.
 *
 * @see Broder, "On the resemblance and containment of documents", 1997; Cohen & Kaplan, "Summarizing data using
 * bottom-k sketches", 2007
 */
export interface TextSketch {
  readonly shingles: readonly number[];
  /** Hashes of the words that carry the subject. */
  readonly subject: readonly number[];
}

const KEEP = 128;
const KEEP_WORDS = 64;
const SHINGLE = 3;
/** Letters by which forms of a word count as one word: `slow`, `slower`, `slowing`. */
const STEM = 4;

const FILLERS = new Set(
  (
    "a an and any are as at be been being but by can could did do does for from had has have how i if in into is it its " +
    "may me might must my now of on or our please shall should so still such than that the their them then there these " +
    "they this those to us was we were what when where which while who whom whose why will with would you your"
  ).split(" "),
);

/** Sketches a text. Case, the encoding of accents, punctuation and spacing do not matter. */
export function sketchText(text: string): TextSketch {
  const words = text
    .normalize("NFKC")
    .toLowerCase()
    .split(/[^\p{L}\p{N}_./:@-]+/u)
    .map((word) => word.replace(/^[^\p{L}\p{N}]+|[^\p{L}\p{N}]+$/gu, ""))
    .filter((word) => word !== "");
  const line = ` ${words.join(" ")} `;
  const shingles = new Set<number>();
  for (let at = 0; at + SHINGLE <= line.length; at++) shingles.add(hash(line.slice(at, at + SHINGLE)));
  const subject = new Set(words.filter((word) => !FILLERS.has(word)).map((word) => hash(stemOf(word))));
  return { shingles: smallest(shingles, KEEP), subject: smallest(subject, KEEP_WORDS) };
}

/** The share of common shingles of two texts, 0 to 1: their Jaccard index. */
export function resemblance(a: TextSketch, b: TextSketch): number {
  let both = 0;
  let seen = 0;
  let i = 0;
  let j = 0;
  // The smallest hashes of the union, as far as both sketches are certain to hold them.
  const enough = a.shingles.length < KEEP && b.shingles.length < KEEP ? Number.POSITIVE_INFINITY : KEEP;
  while (seen < enough && (i < a.shingles.length || j < b.shingles.length)) {
    const left = a.shingles[i] ?? Number.POSITIVE_INFINITY;
    const right = b.shingles[j] ?? Number.POSITIVE_INFINITY;
    if (left === right) both++;
    if (left <= right) i++;
    if (right <= left) j++;
    seen++;
  }
  return seen === 0 ? 1 : both / seen;
}

/**
 * Whether each text has a word of substance that the other lacks. Then the texts are about different subjects however
 * similar they are: the same phrase about two modules, two hosts, two numbers.
 */
export function differInSubject(a: TextSketch, b: TextSketch): boolean {
  return lacks(a.subject, b.subject) && lacks(b.subject, a.subject);
}

function lacks(some: readonly number[], others: readonly number[]): boolean {
  const known = new Set(others);
  return some.some((word) => !known.has(word));
}

/** Names and numbers differ by any character, words by their first letters. */
function stemOf(word: string): string {
  return /[\p{N}_./:@-]/u.test(word) ? word : word.slice(0, STEM);
}

const smallest = (hashes: ReadonlySet<number>, keep: number) => [...hashes].sort((a, b) => a - b).slice(0, keep);

/** FNV-1a with its bits mixed once more: the order of the hashes must not follow the alphabet. */
function hash(text: string): number {
  let state = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) state = Math.imul(state ^ text.charCodeAt(at), 0x01000193);
  state = Math.imul(state ^ (state >>> 16), 0x85ebca6b);
  state = Math.imul(state ^ (state >>> 13), 0xc2b2ae35);
  return (state ^ (state >>> 16)) >>> 0;
}
