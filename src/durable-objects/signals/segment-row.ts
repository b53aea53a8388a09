import { type ProducerRange, readNames, type SegmentHeader } from "../../core/signals/log/segment.ts";

/** A segment as it is stored, without its body. */
export interface HeaderRow {
  [column: string]: SqlStorageValue;
  first_seq: number;
  last_seq: number;
  received_ms: number;
  first_ts: number;
  last_ts: number;
  names: string;
  producers: string;
  ids: string | null;
}

/** The columns of {@link HeaderRow}. */
export const HEADER = "first_seq, last_seq, received_ms, first_ts, last_ts, names, producers, ids";
/** As {@link HEADER}, without what a segment lists of ids: that may be a hundred times as long as all the rest. */
export const BARE_HEADER = HEADER.replace(", ids", ", iif(ids IS NULL, NULL, '') AS ids");

/** @throws SyntaxError or TypeError where the row is damaged */
export function readHeader(row: HeaderRow): SegmentHeader {
  const { last_seq, received_ms, first_ts, last_ts } = row;
  if (![last_seq, received_ms, first_ts, last_ts].every(Number.isFinite) || last_seq < row.first_seq)
    throw new TypeError(`a stored number of a segment is damaged: ${last_seq} ${received_ms} ${first_ts} ${last_ts}`);
  return {
    firstSeq: row.first_seq,
    lastSeq: row.last_seq,
    receivedMs: row.received_ms,
    firstTs: row.first_ts,
    lastTs: row.last_ts,
    ...readNames(row.names),
    producers: readRanges(row.producers),
    ...readKeys(row.ids),
  };
}

export function readRanges(text: string): readonly ProducerRange[] {
  const ranges: unknown = JSON.parse(text);
  if (isRanges(ranges)) return ranges;
  throw new TypeError(`the stored producers of a segment are damaged: ${text.slice(0, 100)}`);
}

const isRanges = (value: unknown): value is readonly ProducerRange[] => Array.isArray(value) && value.every(isRange);

/** Also of the owners and hosts of a segment: a name, and the first and last of its numbers. */
function isRange(value: unknown): boolean {
  if (!Array.isArray(value)) return false;
  const [name, first, last] = value as unknown[];
  return typeof name === "string" && typeof first === "number" && typeof last === "number";
}

type Keys = Pick<SegmentHeader, "foreignIds" | "causes" | "sources" | "owners" | "hosts" | "erased" | "keysUnread">;

/** Most segments hold neither ids of callers nor causes: one column is enough. */
export function keysText({ foreignIds, causes, sources, owners, hosts, erased }: Keys): string | null {
  if (foreignIds.length === 0 && causes.length === 0 && owners === undefined) return null;
  return JSON.stringify({ foreignIds, causes, sources, owners, hosts, erased });
}

export function readKeys(text: string | null): Keys {
  if (text === null) return { foreignIds: [], causes: [] };
  if (text === "") return { foreignIds: [], causes: [], keysUnread: true };
  const keys: unknown = JSON.parse(text);
  if (isForeignIds(keys)) return { foreignIds: keys, causes: [] };
  if (isKeys(keys)) return keys;
  throw new TypeError(`the stored keys of a segment are damaged: ${text.slice(0, 100)}`);
}

const isForeignIds = (value: unknown): value is Keys["foreignIds"] => Array.isArray(value) && value.every(isForeignId);

function isForeignId(value: unknown): boolean {
  if (!Array.isArray(value)) return false;
  const [id, seq] = value as unknown[];
  return typeof id === "string" && typeof seq === "number";
}

function isKeys(value: unknown): value is Keys {
  if (typeof value !== "object" || value === null) return false;
  const { foreignIds, causes, sources = [], owners = [], hosts = [], erased = [] } = value as Record<string, unknown>;
  const listed = Array.isArray(causes) && Array.isArray(sources) && isRanges(owners) && isRanges(hosts);
  return isForeignIds(foreignIds) && isForeignIds(erased) && listed;
}
