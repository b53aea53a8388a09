import type { NewSignal } from "../signal.ts";
import { formatTimestamp } from "../timestamp.ts";

/** Numbers of one producer inside a segment: `[producer, first, last]`, both inclusive. */
export type ProducerRange = readonly [producer: string, first: number, last: number];

/** What can be known of a segment without reading its body. Times are milliseconds since the epoch. */
export interface SegmentHeader {
  readonly firstSeq: number;
  readonly lastSeq: number;
  readonly receivedMs: number;
  /** Lowest and highest event time in it. */
  readonly firstTs: number;
  readonly lastTs: number;
  /** Distinct names of its signals. */
  readonly names: readonly string[];
  readonly producers: readonly ProducerRange[];
  /** Ids that the signals brought along, with their places: `[id, seq]`. */
  readonly foreignIds: readonly (readonly [id: string, seq: number])[];
  /** Hashes of the distinct ids that its signals name as their cause; see key-filter.ts. */
  readonly causes: readonly number[];
}

/** A batch as it is stored: one row (DESIGN.md, decision 2). `lines[i]` is the signal at `firstSeq + i`, as JSON. */
export interface Segment extends SegmentHeader {
  readonly lines: readonly string[];
}

/**
 * One signal as everybody reads it. Built by joining because the facts are JSON already; `seq`, `id` and `signal`
 * stand first so that {@link lineHead} finds them without parsing.
 */
export function signalLine(
  seq: number,
  id: string,
  signal: NewSignal,
  ecosystem: string,
  timestamp: string,
  receivedAt: string,
): string {
  let line = `{"seq":${seq},"id":"${id}","signal":"${signal.signal}","source":${quoted(signal.source)},"ecosystem":"${ecosystem}","timestamp":"${timestamp}","received_at":"${receivedAt}","facts":${signal.factsJson}`;
  if (signal.cause !== undefined) line += `,"cause":"${signal.cause}"`;
  if (signal.trace !== undefined) line += `,"trace":"${signal.trace}"`;
  if (signal.depth !== undefined) line += `,"depth":${signal.depth}`;
  return `${line}}`;
}

// Sources are free text, but few: escaping each once is enough.
const quotedSources = new Map<string, string>();

function quoted(source: string): string {
  let text = quotedSources.get(source);
  if (text === undefined) {
    if (quotedSources.size >= 4096) quotedSources.clear();
    text = JSON.stringify(source);
    quotedSources.set(source, text);
  }
  return text;
}

/** @returns the name of the signal on a line made by {@link signalLine} */
export function lineName(line: string): string {
  // Ids and names hold no quotes, so the third and fourth occurrence of a fixed text delimit the name.
  const start = line.indexOf('","signal":"') + 12;
  return line.slice(start, line.indexOf('"', start));
}

/** @returns the id of the signal on a line made by {@link signalLine} */
export function lineId(line: string): string {
  const start = line.indexOf(',"id":"') + 7;
  return line.slice(start, line.indexOf('"', start));
}

/** @returns what {@link signalLine} put in as the cause, if anything; the rare facts that look like one are told apart by parsing */
export function lineCause(line: string): string | undefined {
  const at = line.lastIndexOf(',"cause":"');
  return at < 0 ? undefined : (JSON.parse(line) as { cause?: string }).cause;
}

/** @returns the sequence number of a line made by {@link signalLine} */
export function lineSeq(line: string): number {
  return Number(line.slice(7, line.indexOf(",", 7)));
}

let lastMs = -1;
let lastText = "";

/** {@link formatTimestamp}, remembering the last answer: signals of a batch mostly share their time. */
export function timestampText(ms: number): string {
  if (ms !== lastMs) {
    lastText = formatTimestamp(ms);
    lastMs = ms;
  }
  return lastText;
}
