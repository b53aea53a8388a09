import { hashKey } from "./key-filter.ts";

/** Numbers of one producer inside a segment: `[producer, first, last]`, both inclusive. */
export type ProducerRange = readonly [producer: string, first: number, last: number];

export type ForeignIdEntry = readonly [id: string, seq: number, source?: number];
export type ErasedKeyEntry = readonly [key: string, seq: number];
/** Signals of one token, or of one host, inside a segment; both ends inclusive. */
export type OwnerRange = readonly [owner: string, firstSeq: number, lastSeq: number];

/** What a reader learns about a segment without reading its body. Times are milliseconds since the epoch. */
export interface SegmentHeader {
  readonly firstSeq: number;
  readonly lastSeq: number;
  readonly receivedMs: number;
  /** Lowest and highest event time of its signals. */
  readonly firstTs: number;
  readonly lastTs: number;
  /** Distinct names of its signals; a stored header lists them only where they are few. */
  readonly names: readonly string[];
  /** Hashes of the distinct names, where a stored header does not list them. */
  readonly nameHashes?: readonly number[];
  readonly producers: readonly ProducerRange[];
  /**
   * Ids that callers gave their signals, with the sequence numbers of these and the place of their source in `sources`
   * (missing in segments of earlier versions).
   */
  readonly foreignIds: readonly ForeignIdEntry[];
  /** Distinct sources of those signals. */
  readonly sources?: readonly string[];
  /** Who sent the signals that came without a producer: the id of a token, and the range of sequence numbers. */
  readonly owners?: readonly OwnerRange[];
  /** Which hosts sent the signals that came with a producer and with an id of their own: others name the host by their ids. */
  readonly hosts?: readonly OwnerRange[];
  /** Keys of ids that were erased, as digests, with the sequence numbers of their signals; see erased.ts. */
  readonly erased?: readonly ErasedKeyEntry[];
  /** Hashes of the distinct ids that its signals name as their causes; see key-filter.ts. */
  readonly causes: readonly number[];
  /** What it lists of ids, causes and owners was not read, and it lists some. */
  readonly keysUnread?: true;
  /** Not as it was stored, which cannot be read; see salvage.ts. */
  readonly salvaged?: true;
}

/** Names that a stored header lists. A reader of the log reads headers by the hundred. */
const MAX_LISTED_NAMES = 128;

/** What a stored header says of the names of a segment. */
export function namesText(names: readonly string[]): string {
  if (names.length <= MAX_LISTED_NAMES) return JSON.stringify(names);
  return JSON.stringify({ hashes: names.map((name) => hashKey("name", name)) });
}

/** Reads what {@link namesText} made. @throws SyntaxError or TypeError where it is damaged */
export function readNames(text: string): Pick<SegmentHeader, "names" | "nameHashes"> {
  const stored: unknown = JSON.parse(text);
  if (isNames(stored)) return { names: stored };
  if (isHashed(stored)) return { names: [], nameHashes: stored.hashes };
  throw new TypeError(`the stored names of a segment are damaged: ${text.slice(0, 100)}`);
}

const isNames = (value: unknown): value is string[] =>
  Array.isArray(value) && value.every((name) => typeof name === "string");

function isHashed(value: unknown): value is { readonly hashes: readonly number[] } {
  return typeof value === "object" && value !== null && Array.isArray((value as { hashes?: unknown }).hashes);
}

/** Whether one of the ranges holds the number. */
export function holdsNumber(ranges: readonly ProducerRange[], producer: string, number: number): boolean {
  return ranges.some(([name, first, last]) => name === producer && first <= number && number <= last);
}

/**
 * A batch as the log stores it: one row, so that a batch costs one row however many signals are in it. `lines[i]` is the
 * signal at `firstSeq + i`, as JSON.
 */
export interface Segment extends SegmentHeader {
  readonly lines: readonly string[];
}
