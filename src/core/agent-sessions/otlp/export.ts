import { isJsonObject } from "../../json/is-json-object.ts";
import { LIMITS } from "../../signals/limits.ts";
import { type Attributes, readAnyValue, readAttributes } from "./attributes.ts";

/** What a program exports: the last part of the path, as OTLP over HTTP has it. */
export const EXPORT_KINDS = ["logs", "metrics", "traces"] as const;
export type ExportKind = (typeof EXPORT_KINDS)[number];

/** Where the answer counts what was refused. */
const REJECTED = { logs: "rejectedLogRecords", metrics: "rejectedDataPoints", traces: "rejectedSpans" } as const;

/** The answer to an export: how much of it was refused, and why. Nothing was, where it is empty. */
export function exportAnswer(kind: ExportKind, rejected: number, errorMessage: string): object {
  return rejected === 0 ? {} : { partialSuccess: { [REJECTED[kind]]: String(rejected), errorMessage } };
}

/** Records of one export that are read. SDKs send 512 at a time, unless somebody sets more. */
const MAX_RECORDS = LIMITS.batchSignals;
/** Points of one export that are read: a program has one for each combination of attributes. */
const MAX_POINTS = 4 * LIMITS.batchSignals;
/** Reasons that an answer names. */
const MAX_REASONS = 4;

/** A record of a log, with what its resource says. */
export interface ReadLog {
  readonly resource: Attributes;
  readonly attributes: Attributes;
  /** Name of the event. */
  readonly name: string;
  readonly scope: string;
  /** By the clock of the sender, in milliseconds since the epoch. */
  readonly atMs: number | undefined;
  readonly traceId: string | undefined;
  readonly spanId: string | undefined;
  /** What a repeated export repeats. */
  readonly text: string;
}

/** A value of a counter or a gauge. */
export interface ReadPoint {
  readonly resource: Attributes;
  readonly attributes: Attributes;
  readonly name: string;
  readonly value: number;
  /** `delta`: since the export before; `cumulative`: since `startMs`; `gauge`: no counter. */
  readonly temporality: "delta" | "cumulative" | "gauge";
  readonly atMs: number | undefined;
  readonly startMs: number | undefined;
}

export interface ReadSpan {
  readonly resource: Attributes;
  readonly attributes: Attributes;
  readonly name: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly startMs: number | undefined;
  readonly endMs: number | undefined;
  readonly failed: boolean;
}

/** Records that can be read, and how many cannot, with the reasons. */
export interface ReadExport<Record> {
  readonly records: readonly Record[];
  readonly rejected: number;
  readonly reasons: readonly string[];
}

/** Thrown where a document is no export at all. */
export class NoExport extends Error {
  readonly pointer: string;

  constructor(pointer: string, message: string) {
    super(message);
    this.pointer = pointer;
  }
}

const TRACE_ID = /^[0-9a-f]{32}$/;
const SPAN_ID = /^[0-9a-f]{16}$/;

/** @throws NoExport where the document is no export of logs */
export function readLogs(document: unknown): ReadExport<ReadLog> {
  return readItems(document, ["resourceLogs", "scopeLogs", "logRecords"], MAX_RECORDS, (item, { resource, scope }) => {
    const attributes = readAttributes(item.attributes);
    const body = readAnyValue(item.body);
    const named = [attributes.get("event.name"), item.eventName].find((name) => typeof name === "string");
    // The body names the event with its program, where the attribute names it without.
    const whole = typeof body === "string" && /^(claude_code|codex|gen_ai)\.[\w.]{1,100}$/.test(body) ? body : named;
    return [
      {
        resource,
        attributes,
        scope,
        name: typeof whole === "string" ? whole.slice(0, 128) : "",
        atMs: timeOf(item.timeUnixNano) ?? timeOf(item.observedTimeUnixNano),
        traceId: idOf(item.traceId, TRACE_ID),
        spanId: idOf(item.spanId, SPAN_ID),
        text: JSON.stringify(item),
      },
    ];
  });
}

/** @throws NoExport where the document is no export of metrics */
export function readMetrics(document: unknown): ReadExport<ReadPoint> {
  return readItems(document, ["resourceMetrics", "scopeMetrics", "metrics"], MAX_POINTS, (metric, { resource }) => {
    if (typeof metric.name !== "string" || metric.name === "") return "a metric has no name";
    const name = metric.name.slice(0, 256);
    const data = [metric.sum, metric.gauge, metric.histogram, metric.exponentialHistogram, metric.summary].find(
      isJsonObject,
    );
    if (data === undefined) return "a metric has no data";
    const points: unknown[] = Array.isArray(data.dataPoints) ? data.dataPoints : [];
    const temporality = isJsonObject(metric.sum) ? temporalityOf(data.aggregationTemporality) : "gauge";
    return points.filter(isJsonObject).map((point): ReadPoint => {
      // Of a histogram its sum: the distribution is of no use here.
      const value = numberIn(point.asInt) ?? numberIn(point.asDouble) ?? numberIn(point.sum) ?? Number.NaN;
      return {
        resource,
        attributes: readAttributes(point.attributes),
        name,
        value,
        temporality,
        atMs: timeOf(point.timeUnixNano),
        startMs: timeOf(point.startTimeUnixNano),
      };
    });
  });
}

/** @throws NoExport where the document is no export of traces */
export function readTraces(document: unknown): ReadExport<ReadSpan> {
  return readItems(document, ["resourceSpans", "scopeSpans", "spans"], MAX_RECORDS, (span, { resource }) => {
    const traceId = idOf(span.traceId, TRACE_ID);
    const spanId = idOf(span.spanId, SPAN_ID);
    if (traceId === undefined) return "a span's traceId is not 32 hexadecimal digits";
    if (spanId === undefined) return "a span's spanId is not 16 hexadecimal digits";
    const status = isJsonObject(span.status) ? span.status.code : undefined;
    return [
      {
        resource,
        attributes: readAttributes(span.attributes),
        name: typeof span.name === "string" ? span.name.slice(0, 256) : "",
        traceId,
        spanId,
        startMs: timeOf(span.startTimeUnixNano),
        endMs: timeOf(span.endTimeUnixNano),
        failed: status === 2 || status === "STATUS_CODE_ERROR",
      },
    ];
  });
}

/** A time in nanoseconds, as a text or a number, in milliseconds; `undefined`: not set. */
function timeOf(value: unknown): number | undefined {
  const nanos = typeof value === "string" && /^\d{1,20}$/.test(value) ? Number(value) : value;
  if (typeof nanos !== "number" || !(nanos > 0)) return undefined;
  const ms = Math.floor(nanos / 1e6);
  return Number.isSafeInteger(ms) && ms < 253_402_300_800_000 ? ms : undefined;
}

function numberIn(value: unknown): number | undefined {
  const number = typeof value === "string" && value !== "" ? Number(value) : value;
  return typeof number === "number" && Number.isFinite(number) ? number : undefined;
}

/** Ids are hexadecimal, in any case; one of zeroes alone is not set. */
function idOf(value: unknown, form: RegExp): string | undefined {
  if (typeof value !== "string") return undefined;
  const id = value.toLowerCase();
  return form.test(id) && !/^0+$/.test(id) ? id : undefined;
}

/** An enumeration is its number; some senders write its name. A counter that says nothing counts from its start. */
function temporalityOf(value: unknown): ReadPoint["temporality"] {
  return value === 1 || value === "AGGREGATION_TEMPORALITY_DELTA" ? "delta" : "cumulative";
}

interface Around {
  readonly resource: Attributes;
  readonly scope: string;
}

/**
 * Walks resources, scopes and items. What cannot be read is counted with its reason, and its neighbours are read.
 *
 * @param read - @returns what an item holds, or why it cannot be read
 */
function readItems<Item>(
  document: unknown,
  [groupsKey, scopesKey, itemsKey]: readonly [string, string, string],
  most: number,
  read: (item: Readonly<Record<string, unknown>>, around: Around) => Item[] | string,
): ReadExport<Item> {
  if (!isJsonObject(document)) throw new NoExport("", "send the export as a JSON object");
  const groups = document[groupsKey] ?? [];
  if (!Array.isArray(groups)) throw new NoExport(`/${groupsKey}`, "give a list");
  const records: Item[] = [];
  const reasons = new Set<string>();
  let rejected = 0;
  const reject = (reason: string, count = 1) => {
    rejected += count;
    if (reasons.size < MAX_REASONS) reasons.add(reason);
  };
  const objects = (list: unknown, what: string) =>
    (Array.isArray(list) ? list : []).filter((one): one is Readonly<Record<string, unknown>> => {
      if (isJsonObject(one)) return true;
      reject(`${what} holds something that is no object`);
      return false;
    });
  for (const group of objects(groups, groupsKey)) {
    const resource = readAttributes(isJsonObject(group.resource) ? group.resource.attributes : undefined);
    for (const scoped of objects(group[scopesKey], scopesKey)) {
      const { scope } = scoped;
      const name = isJsonObject(scope) && typeof scope.name === "string" ? scope.name.slice(0, 256) : "";
      for (const item of objects(scoped[itemsKey], itemsKey)) {
        const found = read(item, { resource, scope: name });
        if (typeof found === "string") reject(found);
        else {
          const room = most - records.length;
          for (const one of found.slice(0, room)) records.push(one);
          if (found.length > room)
            reject(
              `one export may hold ${most}: set a smaller size of the batches that the SDK sends`,
              found.length - room,
            );
        }
      }
    }
  }
  return { records, rejected, reasons: [...reasons] };
}
