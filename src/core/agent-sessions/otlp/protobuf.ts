import { hexOf } from "../../numbers/hex.ts";
import { type ExportKind, NoExport } from "./export.ts";

/** How the bytes of a field are read. `hex`: ids and other bytes, as digits; `fixed64`: a number of nanoseconds. */
type Scalar = "string" | "hex" | "bool" | "int" | "enum" | "fixed64" | "sfixed64" | "double";
interface Field {
  readonly name: string;
  readonly type: Scalar | (() => Message);
  readonly repeated?: true;
}
type Message = Readonly<Record<number, Field>>;

/** Messages inside each other, and messages of one export: two bytes stand for an object. */
const MAX_DEPTH = 48;
const MAX_MESSAGES = 200_000;

const one = (name: string, type: Field["type"]): Field => ({ name, type });
const many = (name: string, type: Field["type"]): Field => ({ name, type, repeated: true });

const ANY_VALUE: Message = {
  1: one("stringValue", "string"),
  2: one("boolValue", "bool"),
  3: one("intValue", "int"),
  4: one("doubleValue", "double"),
  5: one("arrayValue", () => ({ 1: many("values", () => ANY_VALUE) })),
  6: one("kvlistValue", () => ({ 1: many("values", () => KEY_VALUE) })),
  7: one("bytesValue", "hex"),
};
const KEY_VALUE: Message = { 1: one("key", "string"), 2: one("value", () => ANY_VALUE) };
const attributes = many("attributes", () => KEY_VALUE);
const RESOURCE = one("resource", () => ({ 1: attributes }));
const SCOPE = one("scope", () => ({ 1: one("name", "string"), 2: one("version", "string") }));
const START = one("startTimeUnixNano", "fixed64");
const TIME = one("timeUnixNano", "fixed64");
const SUM = one("sum", "double");
const points = (point: Message): Message => ({
  1: many("dataPoints", () => point),
  2: one("aggregationTemporality", "enum"),
});
const NUMBER_POINT: Message = {
  2: START,
  3: TIME,
  4: one("asDouble", "double"),
  6: one("asInt", "sfixed64"),
  7: attributes,
};

const LOG_RECORD: Message = {
  1: TIME,
  5: one("body", () => ANY_VALUE),
  6: attributes,
  9: one("traceId", "hex"),
  10: one("spanId", "hex"),
  11: one("observedTimeUnixNano", "fixed64"),
  12: one("eventName", "string"),
};
const METRIC: Message = {
  1: one("name", "string"),
  5: one("gauge", () => points(NUMBER_POINT)),
  7: one("sum", () => points(NUMBER_POINT)),
  9: one("histogram", () => points({ 2: START, 3: TIME, 5: SUM, 9: attributes })),
  10: one("exponentialHistogram", () => points({ 1: attributes, 2: START, 3: TIME, 5: SUM })),
  11: one("summary", () => points({ 2: START, 3: TIME, 5: SUM, 7: attributes })),
};
const SPAN: Message = {
  1: one("traceId", "hex"),
  2: one("spanId", "hex"),
  5: one("name", "string"),
  7: START,
  8: one("endTimeUnixNano", "fixed64"),
  9: attributes,
  15: one("status", () => ({ 3: one("code", "enum") })),
};

/** @see https://github.com/open-telemetry/opentelemetry-proto, whose numbers of fields do not change any more */
const EXPORTS: Readonly<Record<ExportKind, Message>> = {
  logs: nested("resourceLogs", "scopeLogs", "logRecords", LOG_RECORD),
  metrics: nested("resourceMetrics", "scopeMetrics", "metrics", METRIC),
  traces: nested("resourceSpans", "scopeSpans", "spans", SPAN),
};

function nested(groups: string, scopes: string, items: string, item: Message): Message {
  const scope: Message = { 1: SCOPE, 2: many(items, () => item) };
  return { 1: many(groups, () => ({ 1: RESOURCE, 2: many(scopes, () => scope) })) };
}

/** Reads an export from protocol buffers into the form that it has in JSON. @throws NoExport where it is none */
export function readProtobuf(kind: ExportKind, bytes: Uint8Array): unknown {
  return new Reader(bytes).message(EXPORTS[kind], bytes.length, 0);
}

const decoder = new TextDecoder();

class Reader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at = 0;
  #messages = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  message(fields: Message, end: number, depth: number): Record<string, unknown> {
    if (depth > MAX_DEPTH || ++this.#messages > MAX_MESSAGES)
      throw new NoExport("", "the export holds too many messages, or nests them too deeply: send smaller batches");
    const read: Record<string, unknown> = {};
    while (this.#at < end) {
      const tag = Number(this.#varint());
      const [field, wire] = [fields[Math.floor(tag / 8)], tag % 8];
      if (field === undefined) this.#skip(wire);
      else {
        const value = this.#value(field, wire, depth);
        if (field.repeated !== true) read[field.name] = value;
        else if (Array.isArray(read[field.name])) (read[field.name] as unknown[]).push(value);
        else read[field.name] = [value];
      }
    }
    if (this.#at !== end) throw cutShort();
    return read;
  }

  #value({ type }: Field, wire: number, depth: number): unknown {
    if (wire === 2) {
      const length = this.#length();
      if (typeof type === "function") return this.message(type(), this.#at + length, depth + 1);
      const bytes = this.#bytes.subarray(this.#at, this.#at + length);
      this.#at += length;
      if (type === "hex") return hexOf(bytes);
      if (type === "string") return decoder.decode(bytes);
      return undefined;
    }
    if (wire === 0) {
      const value = this.#varint();
      if (type === "bool") return value !== 0n;
      if (type === "enum") return Number(value);
      return type === "int" ? String(BigInt.asIntN(64, value)) : undefined;
    }
    if (wire !== 1) return void this.#skip(wire);
    const at = this.#take(8);
    if (type === "double") return this.#view.getFloat64(at, true);
    if (type === "sfixed64") return String(this.#view.getBigInt64(at, true));
    return type === "fixed64" ? String(this.#view.getBigUint64(at, true)) : undefined;
  }

  #varint(): bigint {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = this.#bytes[this.#take(1)] ?? 0;
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return BigInt.asUintN(64, value);
    }
    throw new NoExport("", "the body is no protocol buffer: a number is too long");
  }

  #length(): number {
    const length = Number(this.#varint());
    if (length > this.#bytes.length - this.#at) throw cutShort();
    return length;
  }

  #skip(wire: number): void {
    if (wire === 0) this.#varint();
    else if (wire === 1) this.#take(8);
    else if (wire === 2) this.#take(this.#length());
    else if (wire === 5) this.#take(4);
    else throw new NoExport("", "the body is no protocol buffer of an export");
  }

  /** @returns where the bytes begin */
  #take(count: number): number {
    const at = this.#at;
    if (count > this.#bytes.length - at) throw cutShort();
    this.#at += count;
    return at;
  }
}

const cutShort = () => new NoExport("", "the protocol buffer is cut short: send the export again");

/** The answer to an export as a protocol buffer: how many records were refused, and why. */
export function writeAnswer(rejected: number, message: string): Uint8Array {
  if (rejected === 0) return new Uint8Array();
  const text = new TextEncoder().encode(message);
  const partial = [0x08, ...varint(rejected), 0x12, ...varint(text.length), ...text];
  return Uint8Array.from([0x0a, ...varint(partial.length), ...partial]);
}

function varint(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes.push((rest % 0x80) | 0x80);
  return [...bytes, rest];
}
