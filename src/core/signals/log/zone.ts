import { hashKey, keyFilter, mayHoldKey } from "./key-filter.ts";
import type { SegmentHeader } from "./segment.ts";

/**
 * A zone sums up {@link ZONE_SEGMENTS} segments in one row, as zone maps (block range indexes) do in databases: a
 * reader that searches for a name, a time or a producer skips 256 segments at a time, and a waking object reads the last
 * numbers of its producers from one row and at most 255 headers. Without zones, both would read the whole history.
 */
export interface Zone {
  readonly firstSeq: number;
  readonly lastSeq: number;
  readonly firstTs: number;
  readonly lastTs: number;
  /** When its last segment was received. */
  readonly receivedMs?: number;
  readonly names: readonly string[];
  /** Last number of *every* producer known when the zone closed. */
  readonly producers: Readonly<Record<string, number>>;
  /** Producers with signals in this zone. */
  readonly active: readonly string[];
  /** Lowest number of each of those in this zone. */
  readonly began?: Readonly<Record<string, number>>;
  /** Number of ids that callers gave signals of this zone. */
  readonly foreignIds: number;
  /** Filter over those ids and over the ids that signals name as causes; absent: there were too many ids. */
  readonly keys?: string;
}

/** Reads a stored zone. @throws SyntaxError or TypeError when `text` is no zone */
export function readZone(text: string): Zone {
  const zone: unknown = JSON.parse(text);
  if (!isZone(zone)) throw new TypeError(`a stored zone is damaged: ${text.slice(0, 100)}`);
  return zone;
}

/** Checks the fields that every reader needs; older logs stored zones without `receivedMs`, `began` and `keys`. */
function isZone(value: unknown): value is Zone {
  if (typeof value !== "object" || value === null) return false;
  const { firstSeq, lastSeq, names, producers } = value as Record<string, unknown>;
  const numbered = typeof firstSeq === "number" && typeof lastSeq === "number";
  return numbered && Array.isArray(names) && typeof producers === "object" && producers !== null;
}

export const ZONE_SEGMENTS = 256;
/** Keys of the growing zone that are held in memory, eight bytes each. A zone with more keys gets no filter. */
const MAX_KEYS = 262_144;

/** Whether a signal of the zone may have this id, or name it as its cause. @param hash - of the id in that role */
export function mayHold(zone: Zone, hash: number): boolean {
  return zone.keys === undefined || mayHoldKey(zone.keys, hash);
}

/** The zone that is still growing. */
export class OpenZone {
  #segments = 0;
  #firstSeq = 0;
  #lastSeq = 0;
  #firstTs = Number.POSITIVE_INFINITY;
  #lastTs = Number.NEGATIVE_INFINITY;
  #receivedMs = 0;
  readonly #names = new Set<string>();
  readonly #began = new Map<string, number>();
  #foreignIds = 0;
  #keys: number[] | undefined = [];

  get segments(): number {
    return this.#segments;
  }

  add(segment: SegmentHeader): void {
    if (this.#segments === 0) this.#firstSeq = segment.firstSeq;
    this.#segments++;
    this.#lastSeq = segment.lastSeq;
    this.#firstTs = Math.min(this.#firstTs, segment.firstTs);
    this.#lastTs = Math.max(this.#lastTs, segment.lastTs);
    this.#receivedMs = segment.receivedMs;
    for (const name of segment.names) this.#names.add(name);
    for (const [producer, first] of segment.producers) {
      if (!this.#began.has(producer)) this.#began.set(producer, first);
    }
    this.#foreignIds += segment.foreignIds.length;
    this.#addKeys(segment);
  }

  /** @param producers - last number of every known producer, this zone included */
  close(producers: ReadonlyMap<string, number>): Zone {
    return {
      firstSeq: this.#firstSeq,
      lastSeq: this.#lastSeq,
      firstTs: this.#firstTs,
      lastTs: this.#lastTs,
      receivedMs: this.#receivedMs,
      names: [...this.#names],
      producers: Object.fromEntries(producers),
      active: [...this.#began.keys()],
      began: Object.fromEntries(this.#began),
      foreignIds: this.#foreignIds,
      ...(this.#keys === undefined ? {} : { keys: keyFilter(this.#keys) }),
    };
  }

  #addKeys({ foreignIds, causes }: SegmentHeader): void {
    if (this.#keys === undefined) return;
    if (this.#keys.length + foreignIds.length + causes.length > MAX_KEYS) {
      this.#keys = undefined;
      return;
    }
    for (const [id] of foreignIds) this.#keys.push(hashKey("id", id));
    for (const cause of causes) this.#keys.push(cause);
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
