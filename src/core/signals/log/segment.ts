/** Numbers of one producer inside a segment: `[producer, first, last]`, both inclusive. */
export type ProducerRange = readonly [producer: string, first: number, last: number];

export type ForeignIdEntry = readonly [id: string, seq: number, source?: number];
/** Signals of one token inside a segment, both ends inclusive. */
export type OwnerRange = readonly [owner: string, firstSeq: number, lastSeq: number];

/** What a reader learns about a segment without reading its body. Times are milliseconds since the epoch. */
export interface SegmentHeader {
  readonly firstSeq: number;
  readonly lastSeq: number;
  readonly receivedMs: number;
  /** Lowest and highest event time of its signals. */
  readonly firstTs: number;
  readonly lastTs: number;
  /** Distinct names of its signals. */
  readonly names: readonly string[];
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
  /** Hashes of the distinct ids that its signals name as their causes; see key-filter.ts. */
  readonly causes: readonly number[];
}

/**
 * A batch as the log stores it: one row, so that a batch costs one row however many signals are in it. `lines[i]` is the
 * signal at `firstSeq + i`, as JSON.
 */
export interface Segment extends SegmentHeader {
  readonly lines: readonly string[];
}
