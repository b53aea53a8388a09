import { JsonTraceSerializer } from "@opentelemetry/otlp-transformer";
import { describe, expect, it } from "vitest";
import { otlpSpan, traceDocument } from "../../../src/core/telemetry/otlp.ts";
import { KIND, type Span } from "../../../src/core/telemetry/span.ts";
import fc from "../../fast-check.ts";
import { TraceRequest } from "../../harness/otlp-schema.ts";

type ReadableSpan = NonNullable<Parameters<typeof JsonTraceSerializer.serializeRequest>[0]>[number];

const hex = (digits: number) =>
  fc.bigInt(1n, 16n ** BigInt(digits) - 1n).map((number) => number.toString(16).padStart(digits, "0"));
const value = fc.oneof(
  fc.string(),
  fc.boolean(),
  fc.integer(),
  fc.double({ noNaN: true, noDefaultInfinity: true }).filter((number) => !Number.isInteger(number)),
  fc.array(fc.string({ maxLength: 5 }), { maxLength: 3 }),
);
const span: fc.Arbitrary<Span> = fc
  .record({
    traceId: hex(32),
    spanId: hex(16),
    parentSpanId: fc.option(hex(16), { nil: undefined }),
    name: fc.string({ minLength: 1 }),
    kind: fc.constantFrom(...Object.values(KIND)),
    startMs: fc.integer({ min: 0, max: 4_000_000_000_000 }),
    ranMs: fc.integer({ min: 0, max: 100_000_000 }),
    attributes: fc.dictionary(fc.string({ minLength: 1, maxLength: 8 }), value, { maxKeys: 5, noNullPrototype: true }),
    failed: fc.option(fc.record({ message: fc.option(fc.string(), { nil: undefined }) }), { nil: undefined }),
  })
  .filter(({ spanId, parentSpanId }) => spanId !== parentSpanId)
  .map(({ ranMs, ...rest }) => ({ ...rest, endMs: rest.startMs + ranMs, observation: { type: "span", tags: [] } }));

const resource = {
  attributes: { "service.name": "ganglion", "service.namespace": "eco" },
  merge: () => resource,
  getRawAttributes: () => [],
};
const time = (ms: number): [number, number] => [Math.floor(ms / 1_000), (ms % 1_000) * 1_000_000];
const context = (traceId: string, spanId: string) => ({ traceId, spanId, traceFlags: 1 });

/** The same span as OpenTelemetry's own SDK has it. */
function readable({ traceId, spanId, parentSpanId, ...one }: Span): ReadableSpan {
  return {
    name: one.name,
    kind: one.kind - 1,
    spanContext: () => context(traceId, spanId),
    ...(parentSpanId === undefined ? {} : { parentSpanContext: context(traceId, parentSpanId) }),
    startTime: time(one.startMs),
    endTime: time(one.endMs),
    status: one.failed === undefined ? { code: 0 } : { code: 2, message: one.failed.message },
    attributes: { "ganglion.ecosystem": "eco", ...one.attributes },
    links: [],
    events: [],
    duration: [0, 0],
    ended: true,
    resource,
    instrumentationScope: { name: "ganglion.telemetry", version: "1" },
    droppedAttributesCount: 0,
    droppedEventsCount: 0,
    droppedLinksCount: 0,
  } as unknown as ReadableSpan;
}

/** Their serializer writes 64-bit numbers as JSON numbers, which the encoding allows to read, and not to write. */
const asTexts = (_: string, held: unknown): unknown =>
  typeof held === "object" && held !== null && "intValue" in held ? { intValue: String(held.intValue) } : held;

describe("the JSON of spans", () => {
  it("is what OpenTelemetry's own serializer writes for the same spans, and what a strict receiver reads", () => {
    fc.assert(
      fc.property(fc.array(span, { minLength: 1, maxLength: 4 }), (spans) => {
        const as = { ecosystem: "eco", preset: null };
        const ours: unknown = JSON.parse(
          traceDocument(
            spans.map((one) => JSON.stringify(otlpSpan(one, as))),
            "eco",
          ),
        );
        const theirs = new TextDecoder().decode(JsonTraceSerializer.serializeRequest(spans.map(readable)));
        expect(ours).toEqual(JSON.parse(theirs, asTexts));
        TraceRequest.parse(ours);
      }),
      { numRuns: 50 },
    );
  });
});
