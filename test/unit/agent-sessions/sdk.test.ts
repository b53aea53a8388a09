import {
  JsonLogsSerializer,
  JsonMetricsSerializer,
  JsonTraceSerializer,
  ProtobufLogsSerializer,
  ProtobufMetricsSerializer,
  ProtobufTraceSerializer,
} from "@opentelemetry/otlp-transformer";
import { describe, expect, it } from "vitest";
import type { ExportKind } from "../../../src/core/agent-sessions/otlp/export.ts";
import { readProtobuf } from "../../../src/core/agent-sessions/otlp/protobuf.ts";
import { readRecords } from "../../../src/core/agent-sessions/read-records.ts";
import { START_MS } from "./telling.ts";

const time = (ms: number): [number, number] => [
  Math.floor((START_MS + ms) / 1_000),
  ((START_MS + ms) % 1_000) * 1_000_000,
];
const resource = {
  attributes: { "service.name": "claude-code", "service.version": "2.1.40", "ganglion.task": "t-17" },
  merge: () => resource,
  getRawAttributes: () => [],
};
const spanContext = { traceId: "4bf92f3577b34da6a3ce929d0e0e4736", spanId: "00f067aa0ba902b7", traceFlags: 1 };
const scope = { name: "com.anthropic.claude_code", version: "1" };
const counts = { droppedAttributesCount: 0, droppedEventsCount: 0, droppedLinksCount: 0 };

/** Attributes of every kind that an SDK has. */
const odd = { flag: true, list: ["a", "b"], ratio: 0.25, big: 2 ** 40, negative: -7 };

const logs = [
  ["user_prompt", { prompt_length: 42 }],
  ["api_request", { model: "claude-sonnet-4-5", input_tokens: 12, output_tokens: 345, cost_usd: 0.0123 }],
  ["tool_result", { tool_name: "Bash", success: "false", duration_ms: 2_500 }],
].map(([name, more], place) => ({
  hrTime: time(place * 1_000),
  hrTimeObserved: time(place * 1_000),
  spanContext,
  severityNumber: 9,
  severityText: "INFO",
  body: `claude_code.${name}`,
  attributes: { ...odd, "event.name": name, "session.id": "s", ...(more as object) },
  resource,
  instrumentationScope: scope,
  droppedAttributesCount: 0,
}));

const spans = [0, 2].map((code, place) => ({
  name: "chat gpt-4o",
  kind: 2,
  spanContext: () => ({ ...spanContext, spanId: `00f067aa0ba902b${place}` }),
  startTime: time(0),
  endTime: time(1_500),
  status: { code, message: "why" },
  attributes: {
    ...odd,
    "gen_ai.operation.name": "execute_tool",
    "gen_ai.tool.name": "refund",
    "gen_ai.conversation.id": "c",
  },
  links: [],
  events: [],
  duration: [1, 500_000_000],
  ended: true,
  resource,
  instrumentationScope: scope,
  ...counts,
}));

const sum = (name: string, temporality: number, attributes: object, value: number, valueType: number) => ({
  descriptor: { name, description: "", unit: "1", valueType, advice: {} },
  aggregationTemporality: temporality,
  dataPointType: 3,
  isMonotonic: true,
  dataPoints: [{ startTime: time(0), endTime: time(60_000), attributes: { "session.id": "s", ...attributes }, value }],
});
const metrics = [0, 1].map((temporality) => ({
  resource,
  scopeMetrics: [
    {
      scope,
      metrics: [
        sum("claude_code.token.usage", temporality, { type: "input", model: "m" }, 20, 0),
        sum("claude_code.cost.usage", temporality, { model: "m" }, 0.02, 1),
      ],
    },
  ],
}));

const text = (bytes: Uint8Array | undefined): string => new TextDecoder().decode(bytes);

type Both = readonly [
  name: string,
  kind: ExportKind,
  said: readonly string[],
  json: Uint8Array | undefined,
  protobuf: Uint8Array | undefined,
];

/** Both encodings of an export, by the SDK itself, and what it says. */
const EXPORTS: readonly Both[] = [
  [
    "logs",
    "logs",
    ["Q_SESSION_PROMPTED", "Q_SESSION_USAGE", "Q_SESSION_TOOL_ENDED"],
    JsonLogsSerializer.serializeRequest(logs as never),
    ProtobufLogsSerializer.serializeRequest(logs as never),
  ],
  [
    "spans",
    "traces",
    ["Q_SESSION_TOOL_ENDED", "Q_SESSION_TOOL_ENDED"],
    JsonTraceSerializer.serializeRequest(spans as never),
    ProtobufTraceSerializer.serializeRequest(spans as never),
  ],
  ...metrics.map(
    (one, place) =>
      [
        place === 0 ? "counters since the export before" : "counters since their start",
        "metrics",
        ["Q_SESSION_USAGE"],
        JsonMetricsSerializer.serializeRequest(one as never),
        ProtobufMetricsSerializer.serializeRequest(one as never),
      ] as const,
  ),
];

describe("an export that OpenTelemetry's own SDK writes", () => {
  it.each(EXPORTS)("of %s says the same in JSON and as a protocol buffer", (_, kind, said, json, protobuf) => {
    const read = (document: unknown) => {
      const { records, rejected, unknown } = readRecords(kind, document, "none");
      return { records: records.map(({ identity: __, ...record }) => record), rejected, unknown: unknown.records };
    };
    const found = read(JSON.parse(text(json)));
    expect(found).toMatchObject({ rejected: 0, unknown: 0 });
    expect(found.records.map(({ signal, task }) => [signal, task])).toEqual(said.map((signal) => [signal, "t-17"]));
    expect(read(readProtobuf(kind, protobuf ?? new Uint8Array()))).toEqual(found);
  });
});
