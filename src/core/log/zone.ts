import type { SegmentHeader } from "./segment.ts";

/**
 * A zone sums up {@link ZONE_SEGMENTS} segments in one row, as zone maps (block range indexes) do in databases: a
 * reader who looks for a name, a time or a producer skips 256 segments at a time, and a waking object learns what
 * its producers have sent from one row and at most 255 headers. Without it both would cost the whole history.
 */
export interface Zone {
  readonly firstSeq: number;
  readonly lastSeq: number;
  readonly firstTs: number;
  readonly lastTs: number;
  readonly names: readonly string[];
  /** Last number of *every* producer known when the zone closed. */
  readonly producers: Readonly<Record<string, number>>;
  /** Producers that added something within this zone. */
  readonly active: readonly string[];
  /** How many ids that its signals brought along. */
  readonly foreignIds: number;
}

export const ZONE_SEGMENTS = 256;

/** The zone that is still growing. */
export class OpenZone {
  #segments = 0;
  #firstSeq = 0;
  #lastSeq = 0;
  #firstTs = Number.POSITIVE_INFINITY;
  #lastTs = Number.NEGATIVE_INFINITY;
  readonly #names = new Set<string>();
  readonly #active = new Set<string>();
  #foreignIds = 0;

  get segments(): number {
    return this.#segments;
  }

  add(segment: SegmentHeader): void {
    if (this.#segments === 0) this.#firstSeq = segment.firstSeq;
    this.#segments++;
    this.#lastSeq = segment.lastSeq;
    this.#firstTs = Math.min(this.#firstTs, segment.firstTs);
    this.#lastTs = Math.max(this.#lastTs, segment.lastTs);
    for (const name of segment.names) this.#names.add(name);
    for (const [producer] of segment.producers) this.#active.add(producer);
    this.#foreignIds += segment.foreignIds.length;
  }

  /** @param producers - last number of every known producer, this zone included */
  close(producers: ReadonlyMap<string, number>): Zone {
    return {
      firstSeq: this.#firstSeq,
      lastSeq: this.#lastSeq,
      firstTs: this.#firstTs,
      lastTs: this.#lastTs,
      names: [...this.#names],
      producers: Object.fromEntries(producers),
      active: [...this.#active],
      foreignIds: this.#foreignIds,
    };
  }
}

/** Extends the last range of the same producer, in place, where the numbers follow on, so that a header stays short. */
export function addToRanges(
  ranges: [producer: string, first: number, last: number][],
  producer: string,
  number: number,
): void {
  const last = ranges.at(-1);
  if (last !== undefined && last[0] === producer && last[2] === number - 1) last[2] = number;
  else ranges.push([producer, number, number]);
}
