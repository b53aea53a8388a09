import * as z from "zod";

/**
 * The JSON of OTLP traces as a strict receiver reads it: nothing else is let through, so a misspelt field is noticed.
 *
 * @see https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding
 */
const id = (digits: number) =>
  z.string().regex(new RegExp(`^(?!0+$)[0-9a-f]{${digits}}$`), `an id has ${digits} hexadecimal digits, not all zero`);
const Integer = z.string().regex(/^-?(0|[1-9]\d{0,18})$/, "a 64-bit number is a decimal text");
const Value: z.ZodType = z.lazy(() =>
  z.union([
    z.strictObject({ stringValue: z.string() }),
    z.strictObject({ boolValue: z.boolean() }),
    z.strictObject({ intValue: Integer }),
    z.strictObject({ doubleValue: z.number() }),
    z.strictObject({ arrayValue: z.strictObject({ values: z.array(Value) }) }),
  ]),
);
const Attributes = z
  .array(z.strictObject({ key: z.string().min(1), value: Value }))
  .refine((all) => new Set(all.map(({ key }) => key)).size === all.length, "an attribute stands twice");

const OtlpSpanSchema = z
  .strictObject({
    traceId: id(32),
    spanId: id(16),
    parentSpanId: id(16).optional(),
    name: z.string().min(1),
    kind: z.int().min(1).max(5),
    startTimeUnixNano: Integer,
    endTimeUnixNano: Integer,
    attributes: Attributes,
    droppedAttributesCount: z.int(),
    events: z.array(z.never()),
    droppedEventsCount: z.int(),
    status: z.strictObject({ code: z.int().min(0).max(2), message: z.string().optional() }),
    links: z.array(z.never()),
    droppedLinksCount: z.int(),
    flags: z.int(),
  })
  .refine(
    ({ startTimeUnixNano: start, endTimeUnixNano: end }) => BigInt(end) >= BigInt(start),
    "a span ends after it begins",
  )
  .refine(({ spanId, parentSpanId }) => spanId !== parentSpanId, "a span is its own parent");
export type ReceivedSpan = z.infer<typeof OtlpSpanSchema>;

export const TraceRequest = z.strictObject({
  resourceSpans: z
    .array(
      z.strictObject({
        resource: z.strictObject({ attributes: Attributes, droppedAttributesCount: z.int() }),
        scopeSpans: z
          .array(
            z.strictObject({
              scope: z.strictObject({ name: z.string().min(1), version: z.string() }),
              spans: z.array(OtlpSpanSchema).min(1),
            }),
          )
          .min(1),
      }),
    )
    .min(1),
});

export const spansIn = (request: z.infer<typeof TraceRequest>): ReceivedSpan[] =>
  request.resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap(({ spans }) => spans));

/** What a box of the receiver holds. */
export interface OtlpBox {
  /** In the order of their arrival, with what was answered. */
  readonly requests: {
    readonly path: string;
    readonly headers: Readonly<Record<string, string | string[] | undefined>>;
    readonly spans: number;
    readonly bytes: number;
    readonly answered: string;
  }[];
  /** Spans that were taken, each once. */
  readonly spans: ReceivedSpan[];
  /** How often spans came again that were taken before. */
  repeated: number;
  /** What no receiver would have understood. */
  readonly invalid: string[];
}

/** The attributes of a span, as plain values. */
export function attributesOf({ attributes }: Pick<ReceivedSpan, "attributes">): Record<string, unknown> {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, plain(value)]));
}

function plain(value: unknown): unknown {
  const [[kind, held] = ["", undefined]] = Object.entries(value as Record<string, unknown>);
  if (kind === "arrayValue") return (held as { values: unknown[] }).values.map(plain);
  return kind === "intValue" ? Number(held) : held;
}
