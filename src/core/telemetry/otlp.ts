import { ATTRIBUTE, GANGLION, LANGFUSE, SCOPE } from "./attributes.ts";
import type { Attributes, AttributeValue, Preset, Span } from "./span.ts";

/** Spans as JSON of OTLP: camel case, ids in hexadecimal digits, 64-bit numbers as decimal texts, enumerations as numbers. */
export interface OtlpSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly kind: number;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly attributes: readonly KeyValue[];
  readonly droppedAttributesCount: 0;
  readonly events: readonly never[];
  readonly droppedEventsCount: 0;
  readonly status: { readonly code: number; readonly message?: string };
  readonly links: readonly never[];
  readonly droppedLinksCount: 0;
  readonly flags: number;
}

interface KeyValue {
  readonly key: string;
  readonly value: Value;
}

type Value =
  | { readonly stringValue: string }
  | { readonly boolValue: boolean }
  | { readonly intValue: string }
  | { readonly doubleValue: number }
  | { readonly arrayValue: { readonly values: readonly Value[] } };

const STATUS = { unset: 0, error: 2 } as const;
/** Sampled, and known not to come from another process's span (bits 8 and 9 of the protocol). */
const FLAGS = 0x101;

export interface ExportedAs {
  readonly ecosystem: string;
  readonly preset: Preset | null;
}

export function otlpSpan(span: Span, as: ExportedAs): OtlpSpan {
  const { failed } = span;
  return {
    traceId: span.traceId,
    spanId: span.spanId,
    ...(span.parentSpanId === undefined ? {} : { parentSpanId: span.parentSpanId }),
    name: as.preset === "langfuse" ? (span.observation.name ?? span.name) : span.name,
    kind: span.kind,
    startTimeUnixNano: nanoseconds(span.startMs),
    endTimeUnixNano: nanoseconds(Math.max(span.startMs, span.endMs)),
    attributes: keyValues({
      [ATTRIBUTE.ecosystem]: as.ecosystem,
      ...span.attributes,
      ...(as.preset === "langfuse" ? ofLangfuse(span, as.ecosystem) : plain(span)),
    }),
    droppedAttributesCount: 0,
    events: [],
    droppedEventsCount: 0,
    status:
      failed === undefined
        ? { code: STATUS.unset }
        : { code: STATUS.error, ...(failed.message === undefined ? {} : { message: failed.message.toWellFormed() }) },
    links: [],
    droppedLinksCount: 0,
    flags: FLAGS,
  };
}

/** The body of a request, around spans that are JSON texts already. */
export function traceDocument(spans: readonly string[], ecosystem: string): string {
  const resource = {
    attributes: keyValues({ [ATTRIBUTE.serviceName]: GANGLION, [ATTRIBUTE.serviceNamespace]: ecosystem }),
    droppedAttributesCount: 0,
  };
  return (
    `{"resourceSpans":[{"resource":${JSON.stringify(resource)},` +
    `"scopeSpans":[{"scope":${JSON.stringify(SCOPE)},"spans":[${spans.join(",")}]}]}]}`
  );
}

const plain = ({ observation: { input, output } }: Span): Attributes => ({
  [ATTRIBUTE.input]: input,
  [ATTRIBUTE.output]: output,
});

function ofLangfuse({ traceId, parentSpanId, observation }: Span, ecosystem: string): Attributes {
  const { type, traceName, tags, input, output, costUsd } = observation;
  return {
    // A chain of causes is one session, whatever took part in it.
    [ATTRIBUTE.sessionId]: traceId,
    [LANGFUSE.environment]: environmentOf(ecosystem),
    [LANGFUSE.observationType]: type,
    [LANGFUSE.traceName]: parentSpanId === undefined ? traceName : undefined,
    [LANGFUSE.traceTags]: tags,
    [LANGFUSE.input]: input,
    [LANGFUSE.output]: output,
    [LANGFUSE.cost]: costUsd === undefined ? undefined : JSON.stringify({ total: costUsd }),
  };
}

/** An environment of Langfuse has 40 characters at most and does not begin with the receiver's own name. */
const environmentOf = (ecosystem: string) =>
  (ecosystem.startsWith("langfuse") ? `eco-${ecosystem}` : ecosystem).slice(0, 40);

/** Nanoseconds are beyond what a number holds exactly. */
const nanoseconds = (ms: number): string => (BigInt(Math.max(0, Math.round(ms))) * 1_000_000n).toString();

function keyValues(attributes: Attributes): KeyValue[] {
  return Object.entries(attributes).flatMap(([key, value]) =>
    value === undefined ? [] : [{ key, value: otlpValue(value) }],
  );
}

function otlpValue(value: AttributeValue): Value {
  if (typeof value === "string") return { stringValue: value.toWellFormed() };
  if (typeof value === "boolean") return { boolValue: value };
  if (typeof value === "number")
    return Number.isSafeInteger(value) ? { intValue: String(value) } : { doubleValue: value };
  return { arrayValue: { values: value.map(otlpValue) } };
}
