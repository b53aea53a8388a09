import { pruneDeep } from "../json/prune-deep.ts";
import type { NewSignal, Signal } from "./signal.ts";
import { formatTimestamp } from "./timestamp.ts";

/**
 * Writes a signal as the log stores and sends it: one line of JSON. The facts are JSON already, so the line is joined and
 * not serialised again; `seq`, `id` and `signal` come first, so that {@link lineName} and its neighbours find them without
 * parsing.
 */
export function signalLine(
  seq: number,
  id: string,
  signal: NewSignal,
  ecosystem: string,
  timestamp: string,
  receivedAt: string,
): string {
  let line = `{"seq":${seq},"id":"${id}${middle(signal, ecosystem, timestamp, receivedAt)}${signal.factsJson}`;
  if (signal.cause !== undefined) line += `,"cause":"${signal.cause}"`;
  if (signal.trace !== undefined) line += `,"trace":"${signal.trace}"`;
  if (signal.depth !== undefined) line += `,"depth":${signal.depth}`;
  if (signal.via !== undefined) line += `,"via":${JSON.stringify(signal.via)}`;
  if (signal.hops !== undefined) line += `,"hops":${signal.hops}`;
  return `${line}}`;
}

let lastParts: readonly string[] = [];
let lastMiddle = "";

/** What stands between id and facts. Neighbours mostly share it, and a line of few pieces is joined several times faster. */
function middle(signal: NewSignal, ecosystem: string, timestamp: string, receivedAt: string): string {
  const [name, source, inEcosystem, at, received] = lastParts;
  if (
    name === signal.signal &&
    source === signal.source &&
    inEcosystem === ecosystem &&
    at === timestamp &&
    received === receivedAt
  )
    return lastMiddle;
  lastParts = [signal.signal, signal.source, ecosystem, timestamp, receivedAt];
  // A text that `join` makes is flat. One of an expression is a tree of its pieces, which every line would walk again.
  lastMiddle = [
    `","signal":"${signal.signal}","source":`,
    quoted(signal.source),
    `,"ecosystem":"${ecosystem}","timestamp":"${timestamp}","received_at":"${receivedAt}","facts":`,
  ].join("");
  return lastMiddle;
}

/**
 * Reads a line of the log. Checks the fields on which code depends and no more: every signal passes here in every
 * projection, and the log wrote the line from a signal that had passed the schema. Facts from before their depth was
 * limited are cut at the limit.
 *
 * @throws SyntaxError or TypeError when `line` is not what {@link signalLine} writes
 */
export function readSignalLine(line: string): Signal {
  const signal: unknown = JSON.parse(line);
  if (!isSignal(signal)) throw new TypeError(`a line of the log is not a signal: ${line.slice(0, 100)}`);
  pruneDeep(signal.facts);
  return signal;
}

/** The cheap check of {@link readSignalLine}, for signals that were parsed as a part of something larger. */
export function isSignal(value: unknown): value is Signal {
  if (typeof value !== "object" || value === null) return false;
  const { seq, id, signal, facts } = value as Record<string, unknown>;
  return (
    typeof seq === "number" &&
    typeof id === "string" &&
    typeof signal === "string" &&
    typeof facts === "object" &&
    facts !== null
  );
}

// Sources are free text, but few: each is escaped once.
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
  // Neither ids nor names hold quotes, so the first occurrence of this text stands between the two.
  const start = line.indexOf('","signal":"') + 12;
  return line.slice(start, line.indexOf('"', start));
}

/** @returns the id of the signal on a line made by {@link signalLine} */
export function lineId(line: string): string {
  const start = line.indexOf(',"id":"') + 7;
  return line.slice(start, line.indexOf('"', start));
}

/**
 * @returns the cause of the signal on a line made by {@link signalLine}, if it names one. Facts may hold a field of the same
 * name, so a line that has one is parsed.
 */
export function lineCause(line: string): string | undefined {
  return line.includes(',"cause":"') ? readSignalLine(line).cause : undefined;
}

/** @returns the sequence number of a line made by {@link signalLine} */
export function lineSeq(line: string): number {
  return Number(line.slice(7, line.indexOf(",", 7)));
}

let lastMs = -1;
let lastText = "";

/** {@link formatTimestamp} that remembers its last answer, because the signals of a batch mostly share their time. */
export function timestampText(ms: number): string {
  if (ms !== lastMs) {
    lastText = formatTimestamp(ms);
    lastMs = ms;
  }
  return lastText;
}
