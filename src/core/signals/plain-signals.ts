import { CLOSE_LIST, CLOSE_OBJECT, COMMA, OPEN_LIST, OPEN_OBJECT } from "../json/json-bytes.ts";
import { members, PlainCursor } from "../json/plain-cursor.ts";
import { LIMITS } from "./limits.ts";

/** A signal as its sender wrote it, but for the facts; nothing is checked but the types. */
interface PlainSignal {
  readonly signal: string | undefined;
  readonly source: string | undefined;
  readonly timestamp: string | undefined;
  readonly id: string | undefined;
  readonly cause: string | undefined;
  readonly trace: string | undefined;
  readonly depth: number | undefined;
}

export interface PlainSignals {
  readonly signals: PlainSignal[];
  /** JSON of the facts of each signal, an object, as it was sent: as good as what JSON.stringify would write. */
  readonly facts: string[];
}

export interface PlainAppend extends PlainSignals {
  readonly type: "append";
  readonly batch: number;
  readonly producer: string;
  readonly first: number;
}

/**
 * Reads signals in the form in which nearly all come: one object, or a list of them, in ASCII without white space between
 * tokens, without escapes beside the facts, and with the usual members alone. The facts are proved to be JSON and are never
 * built: JSON.parse and JSON.stringify would take most of the time of an append.
 *
 * @returns `undefined` for every other text: JSON.parse and the schema decide
 */
export function readPlainSignals(text: string): PlainSignals | undefined {
  const cursor = PlainCursor.over(text);
  if (cursor === undefined) return undefined;
  const read: PlainSignals = { signals: [], facts: [] };
  const taken = cursor.take(OPEN_LIST) ? restOfList(cursor, read) : signal(cursor, read);
  return taken && cursor.isAtEnd ? read : undefined;
}

const APPEND = '{"type":"append",';
const FRAME_MEMBERS = members("type", "batch", "producer", "first", "signals");

/** Reads a frame of the type `append`, as {@link readPlainSignals} reads signals. */
export function readPlainAppend(text: string): PlainAppend | undefined {
  // Agents write the type first, and other frames are not encoded for nothing.
  const cursor = text.startsWith(APPEND) ? PlainCursor.over(text) : undefined;
  if (!cursor?.take(OPEN_OBJECT)) return undefined;
  let type: string | undefined;
  let batch: number | undefined;
  let producer: string | undefined;
  let first: number | undefined;
  let read: PlainSignals | undefined;
  do {
    const name = cursor.member(FRAME_MEMBERS);
    // A member that comes twice is a fault.
    if (name === "type" && type === undefined) type = cursor.text();
    else if (name === "batch" && batch === undefined) batch = cursor.count();
    else if (name === "producer" && producer === undefined) producer = cursor.text(lastProducer);
    else if (name === "first" && first === undefined) first = cursor.count();
    else if (name === "signals" && read === undefined) {
      read = { signals: [], facts: [] };
      if (!cursor.take(OPEN_LIST) || !restOfList(cursor, read)) return undefined;
    } else return undefined;
  } while (cursor.take(COMMA));
  if (!cursor.take(CLOSE_OBJECT) || !cursor.isAtEnd) return undefined;
  if (batch === undefined || producer === undefined || first === undefined || read === undefined) return undefined;
  lastProducer = producer;
  return { type: "append", batch, producer, first, signals: read.signals, facts: read.facts };
}

// Most frames of an isolate come from few producers, and repeat what the last one said.
let lastProducer: string | undefined;
let lastSignal: string | undefined;
let lastSource: string | undefined;

/** Takes the signals of a list, and its end. */
function restOfList(cursor: PlainCursor, read: PlainSignals): boolean {
  if (cursor.take(CLOSE_LIST)) return true;
  do {
    if (read.signals.length === LIMITS.batchSignals || !signal(cursor, read)) return false;
  } while (cursor.take(COMMA));
  return cursor.take(CLOSE_LIST);
}

const MEMBERS = members("signal", "source", "timestamp", "facts", "id", "cause", "trace", "depth");

/** Takes a signal. */
function signal(cursor: PlainCursor, read: PlainSignals): boolean {
  if (!cursor.take(OPEN_OBJECT)) return false;
  let name: string | undefined;
  let source: string | undefined;
  let timestamp: string | undefined;
  let facts: string | undefined;
  let id: string | undefined;
  let cause: string | undefined;
  let trace: string | undefined;
  let depth: number | undefined;
  do {
    let value: string | number | undefined;
    const member = cursor.member(MEMBERS);
    if (member === "signal" && name === undefined) value = name = cursor.text(lastSignal);
    else if (member === "source" && source === undefined) value = source = cursor.text(lastSource);
    else if (member === "timestamp" && timestamp === undefined) value = timestamp = cursor.text();
    else if (member === "facts" && facts === undefined) value = facts = cursor.object();
    else if (member === "id" && id === undefined) value = id = cursor.text();
    else if (member === "cause" && cause === undefined) value = cause = cursor.text();
    else if (member === "trace" && trace === undefined) value = trace = cursor.text();
    else if (member === "depth" && depth === undefined) value = depth = cursor.count();
    if (value === undefined) return false;
  } while (cursor.take(COMMA));
  if (facts === undefined || !cursor.take(CLOSE_OBJECT)) return false;
  lastSignal = name;
  lastSource = source;
  read.signals.push({ signal: name, source, timestamp, id, cause, trace, depth });
  read.facts.push(facts);
  return true;
}
