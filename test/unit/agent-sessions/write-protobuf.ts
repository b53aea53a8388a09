import type { ExportKind } from "../../../src/core/agent-sessions/otlp/export.ts";

/** A field: its number, and how what JSON has of it becomes bytes. */
type Write = (value: never) => number[];

const text = (value: string) => [...new TextEncoder().encode(value)];
const varint = (value: bigint): number[] =>
  value < 128n ? [Number(value)] : [Number(value & 127n) | 128, ...varint(value >> 7n)];
const withLength = (bytes: number[]) => [...varint(BigInt(bytes.length)), ...bytes];
const eight = (fill: (view: DataView) => void) => {
  const view = new DataView(new ArrayBuffer(8));
  fill(view);
  return [...new Uint8Array(view.buffer)];
};
const part = (field: number, bytes: number[]) => [...varint(BigInt(field * 8 + 2)), ...withLength(bytes)];
const string =
  (field: number): Write =>
  (value: string) =>
    part(field, text(value));
const hex =
  (field: number): Write =>
  (value: string) =>
    part(field, [...Buffer.from(value, "hex")]);
const integer =
  (field: number): Write =>
  (value: string | number | boolean) => [...varint(BigInt(field * 8)), ...varint(BigInt.asUintN(64, BigInt(value)))];
const fixed =
  (field: number): Write =>
  (value: string) => [...varint(BigInt(field * 8 + 1)), ...eight((view) => view.setBigUint64(0, BigInt(value), true))];
const double =
  (field: number): Write =>
  (value: number) => [...varint(BigInt(field * 8 + 1)), ...eight((view) => view.setFloat64(0, value, true))];
const message =
  (field: number, fields: () => Record<string, Write>): Write =>
  (value: object | object[]) =>
    [value].flat().flatMap((one) => part(field, written(one, fields())));

function written(value: object, fields: Record<string, Write>): number[] {
  return Object.entries(value).flatMap(([name, one]) => fields[name]?.(one as never) ?? []);
}

const any = (): Record<string, Write> => ({
  stringValue: string(1),
  boolValue: integer(2),
  intValue: integer(3),
  doubleValue: double(4),
});
const attributes = (field: number) => message(field, () => ({ key: string(1), value: message(2, any) }));
const point = () => ({
  startTimeUnixNano: fixed(2),
  timeUnixNano: fixed(3),
  asDouble: double(4),
  asInt: fixed(6),
  attributes: attributes(7),
});
const ITEMS: Record<ExportKind, Record<string, Write>> = {
  logs: {
    timeUnixNano: fixed(1),
    severityText: string(3),
    body: message(5, any),
    attributes: attributes(6),
    traceId: hex(9),
    spanId: hex(10),
    observedTimeUnixNano: fixed(11),
  },
  metrics: {
    name: string(1),
    unit: string(3),
    sum: message(7, () => ({
      dataPoints: message(1, point),
      aggregationTemporality: integer(2),
      isMonotonic: integer(3),
    })),
  },
  traces: {
    traceId: hex(1),
    spanId: hex(2),
    name: string(5),
    kind: integer(6),
    startTimeUnixNano: fixed(7),
    endTimeUnixNano: fixed(8),
    attributes: attributes(9),
    status: message(15, () => ({ code: integer(3) })),
  },
};

/** An export of a fixture as the protocol buffer that an SDK would send. */
export function asProtobuf(document: unknown): Uint8Array {
  const scope = () => ({
    scope: message(1, () => ({ name: string(1), version: string(2) })),
    logRecords: message(2, () => ITEMS.logs),
    metrics: message(2, () => ITEMS.metrics),
    spans: message(2, () => ITEMS.traces),
  });
  const group = () => ({
    resource: message(1, () => ({ attributes: attributes(1) })),
    scopeLogs: message(2, scope),
    scopeMetrics: message(2, scope),
    scopeSpans: message(2, scope),
  });
  const groups = message(1, group);
  return Uint8Array.from(
    written(document as object, { resourceLogs: groups, resourceMetrics: groups, resourceSpans: groups }),
  );
}
