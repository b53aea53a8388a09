import type { Matcher } from "../pattern.ts";
import { Distinct, mayHoldText } from "./distinct.ts";
import { hashKey, keyFilter, mayHoldKey } from "./key-filter.ts";
import type { SegmentHeader } from "./segment.ts";

/**
 * A zone sums up {@link ZONE_SEGMENTS} segments in one row, as zone maps (block range indexes) do in databases: a
 * reader that searches for a name, a time or a producer skips 256 segments at a time, and a waking object reads at most
 * 255 headers. Without zones, both would read the whole history.
 *
 * Callers choose names, producers and ids, so each list is bounded: beyond that a filter takes its place, and beyond that
 * the zone says nothing, and readers look inside.
 */
export interface Zone {
  readonly firstSeq: number;
  readonly lastSeq: number;
  readonly firstTs: number;
  readonly lastTs: number;
  /** When its last segment was received. */
  readonly receivedMs?: number;
  readonly names: readonly string[];
  /** Filter over the names, where they are too many to list; `null`: too many for a filter as well. */
  readonly nameKeys?: string | null;
  /** Of zones of earlier versions: last number of *every* producer known when the zone closed. */
  readonly producers?: Readonly<Record<string, number>>;
  /** Producers with signals in this zone. */
  readonly active: readonly string[];
  /** Filter over those producers, where they are too many to list; `null`: too many for a filter as well. */
  readonly activeKeys?: string | null;
  /** Lowest and highest number of each listed producer in this zone. */
  readonly began?: Readonly<Record<string, number>>;
  readonly ended?: Readonly<Record<string, number>>;
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
  const { firstSeq, lastSeq, firstTs, lastTs, receivedMs, names, active, nameKeys, activeKeys, keys } = value as Record<
    string,
    unknown
  >;
  const numbered = [firstSeq, lastSeq, firstTs, lastTs].every((number) => typeof number === "number");
  const filtered = [nameKeys ?? "", activeKeys ?? "", keys ?? ""].every((filter) => typeof filter === "string");
  const timed = receivedMs === undefined || typeof receivedMs === "number";
  return numbered && filtered && timed && isTexts(names) && isTexts(active);
}

const isTexts = (value: unknown): boolean => Array.isArray(value) && value.every((text) => typeof text === "string");

export const ZONE_SEGMENTS = 256;
/** Keys of the growing zone that are held in memory, eight bytes each. A zone with more keys gets no filter. */
const MAX_KEYS = 262_144;

/** Whether a signal of the zone may have this id, or name it as its cause. @param hash - of the id in that role */
export function mayHold(zone: Zone, hash: number): boolean {
  return zone.keys === undefined || mayHoldKey(zone.keys, hash);
}

/** Whether a zone or a segment may hold a signal of a name that is wanted. */
export function mayHoldName(part: Zone | SegmentHeader, wanted: Matcher): boolean {
  if (part.names.some(wanted)) return true;
  const { exact } = wanted;
  if ("nameHashes" in part && part.nameHashes !== undefined) {
    const hashes = new Set(part.nameHashes);
    return exact === undefined || exact.some((name) => hashes.has(hashKey("name", name)));
  }
  if (!("nameKeys" in part) || part.nameKeys === undefined) return false;
  const { nameKeys } = part;
  return exact === undefined || exact.some((name) => mayHoldText(nameKeys, "name", name));
}

/** Whether all signals of a segment certainly have names that are wanted. */
export function holdsOnly({ names, nameHashes }: SegmentHeader, wanted: Matcher): boolean {
  return names.length > 0 && nameHashes === undefined && names.every(wanted);
}

/** Whether the signal that a producer numbered so may be in the zone. */
export function mayHoldNumber(zone: Zone, producer: string, number: number): boolean {
  if (zone.activeKeys !== undefined) return mayHoldText(zone.activeKeys, "producer", producer);
  if (!zone.active.includes(producer)) return false;
  const ended = zone.ended?.[producer] ?? zone.producers?.[producer] ?? Number.POSITIVE_INFINITY;
  return number >= (zone.began?.[producer] ?? 0) && number <= ended;
}

/** The zone that is still growing. */
export class OpenZone {
  #segments = 0;
  #firstSeq = 0;
  #lastSeq = 0;
  #firstTs = Number.POSITIVE_INFINITY;
  #lastTs = Number.NEGATIVE_INFINITY;
  #receivedMs = 0;
  readonly #names = new Distinct("name");
  readonly #active = new Distinct("producer");
  /** Lowest and highest numbers, as long as the producers can be listed. */
  readonly #began = new Map<string, number>();
  readonly #ended = new Map<string, number>();
  #foreignIds = 0;
  #keys: number[] | undefined = [];
  /** First sequence numbers of segments whose ids and causes are not in {@link #keys} yet. */
  readonly #unread: number[] = [];

  /** First sequence numbers of segments that were added without what they list; to be given to {@link addKeys} before the zone is closed. */
  get unread(): readonly number[] {
    return this.#unread;
  }

  get segments(): number {
    return this.#segments;
  }

  get isFull(): boolean {
    return this.#segments >= ZONE_SEGMENTS;
  }

  add(segment: SegmentHeader): void {
    if (this.#segments === 0) this.#firstSeq = segment.firstSeq;
    this.#segments++;
    this.#lastSeq = segment.lastSeq;
    this.#firstTs = Math.min(this.#firstTs, segment.firstTs);
    this.#lastTs = Math.max(this.#lastTs, segment.lastTs);
    this.#receivedMs = segment.receivedMs;
    for (const name of segment.names) this.#names.add(name);
    for (const hash of segment.nameHashes ?? []) this.#names.addHash(hash);
    for (const [producer, first, last] of segment.producers) {
      this.#active.add(producer);
      if (this.#active.listed === undefined) continue;
      if (!this.#began.has(producer)) this.#began.set(producer, first);
      this.#ended.set(producer, Math.max(last, this.#ended.get(producer) ?? 0));
    }
    if (segment.keysUnread) this.#unread.push(segment.firstSeq);
    else this.#addKeys(segment);
  }

  /** @param segment - one of {@link unread}, with all that it lists */
  addKeys(segment: SegmentHeader): void {
    const place = this.#unread.indexOf(segment.firstSeq);
    if (place < 0) return;
    this.#unread.splice(place, 1);
    this.#addKeys(segment);
  }

  close(): Zone {
    // Of ids that could not be read the zone says nothing, and readers look inside.
    if (this.#unread.length > 0) this.#keys = undefined;
    const names = this.#names.close();
    const active = this.#active.close();
    const listed = active.filter === undefined;
    return {
      firstSeq: this.#firstSeq,
      lastSeq: this.#lastSeq,
      firstTs: this.#firstTs,
      lastTs: this.#lastTs,
      receivedMs: this.#receivedMs,
      names: names.list,
      ...(names.filter === undefined ? {} : { nameKeys: names.filter }),
      active: active.list,
      ...(active.filter === undefined ? {} : { activeKeys: active.filter }),
      ...(listed ? { began: Object.fromEntries(this.#began), ended: Object.fromEntries(this.#ended) } : {}),
      foreignIds: this.#foreignIds + this.#unread.length,
      ...(this.#keys === undefined ? {} : { keys: keyFilter(this.#keys) }),
    };
  }

  #addKeys({ foreignIds, causes }: SegmentHeader): void {
    this.#foreignIds += foreignIds.length;
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
