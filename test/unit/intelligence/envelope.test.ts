import { describe, expect, it } from "vitest";
import { readAnswer, readRequest, writeEvent } from "../../../src/core/intelligence/envelope.ts";
import { ERROR_CODES, isRetryAllowed, readErrorCode } from "../../../src/core/intelligence/error-codes.ts";
import { readEventType, writeEventType } from "../../../src/core/intelligence/event-type.ts";
import { requestOf } from "../../../src/core/intelligence/request.ts";
import { isTopic, topicsOf } from "../../../src/core/intelligence/topics.ts";

const WRITTEN_BY = { eventId: "e-1", service: "ganglion", instanceId: "host-a", nowMs: Date.UTC(2026, 0, 2) };

describe("topics", () => {
  it("are the three names of the development environment", () => {
    expect(topicsOf("development")).toEqual({
      request: "dev.archon-intelligence.intelligence.code-analysis-requested.v1",
      completed: "dev.archon-intelligence.intelligence.code-analysis-completed.v1",
      failed: "dev.archon-intelligence.intelligence.code-analysis-failed.v1",
    });
  });

  it("begin with an environment's own name, and are names of signals", () => {
    expect(topicsOf("staging").request).toMatch(/^staging\./);
    expect(topicsOf("production").failed).toMatch(/^production\./);
    expect(isTopic(topicsOf("staging").request)).toBe(true);
    expect(isTopic("two words")).toBe(false);
  });
});

describe("the type of an event", () => {
  it.each([
    ["code_analysis_requested", "requested", "lower"],
    ["CODE_ANALYSIS_COMPLETED", "completed", "upper"],
    ["omninode.intelligence.event.code_analysis_failed.v1", "failed", "dotted"],
  ] as const)("is read in the spelling %s, and written the same", (text, event, spelling) => {
    expect(readEventType(text)).toEqual({ event, spelling });
    expect(writeEventType(event, spelling)).toBe(text);
  });

  it.each(["", "code_analysis", "Code_Analysis_Requested", "code_analysis_requested.v2"])("is unknown: %j", (text) => {
    expect(readEventType(text)).toBeUndefined();
  });
});

describe("a request", () => {
  it("needs correlation id, type and payload alone, as the oldest writers send it", () => {
    const read = readRequest({
      correlation_id: "c-1",
      event_type: "CODE_ANALYSIS_REQUESTED",
      payload: { source_path: " node_*_effect.py ", language: "python", operation_type: "PATTERN_EXTRACTION" },
    });
    expect(read).toMatchObject({ ok: true, request: { correlationId: "c-1", spelling: "upper" } });
    if (read.ok) expect(read.request.payload.source_path).toBe("node_*_effect.py");
  });

  it("may be the payload alone", () => {
    expect(readRequest({ source_path: "a.py" })).toMatchObject({ ok: true, request: { spelling: "dotted" } });
  });

  it("is read with the fields of newer writers, whose source is a text", () => {
    const read = readRequest({
      event_id: "e",
      event_type: "omninode.intelligence.event.code_analysis_requested.v1",
      correlation_id: "c",
      tenant_id: "t",
      namespace: "n",
      schema_ref: "s",
      source: "omniclaude",
      payload: { source_path: "a.py" },
      _headers: { "x-traceparent": `00-${"a".repeat(32)}-${"b".repeat(16)}-01` },
    });
    expect(read).toMatchObject({
      ok: true,
      request: { eventId: "e", trace: `00-${"a".repeat(32)}-${"b".repeat(16)}-01` },
    });
  });

  it("takes the correlation id of its headers where the envelope has none", () => {
    const read = readRequest({ payload: { source_path: "a" }, _headers: { "x-correlation-id": "h-1" } });
    expect(read).toMatchObject({ ok: true, request: { correlationId: "h-1" } });
  });

  it.each([
    [{ source_path: "  " }, "/payload/source_path: is blank"],
    [{}, "/payload/source_path"],
    [{ source_path: "a", options: { quality_threshold: 2 } }, "/payload/options/quality_threshold"],
  ])("is refused with the place of its mistake: %j", (payload, message) => {
    const read = readRequest({ correlation_id: "c-2", event_type: "code_analysis_requested", payload });
    expect(read).toMatchObject({
      ok: false,
      message: expect.stringContaining(message),
      request: { correlationId: "c-2" },
    });
  });

  it("of an unknown type is none", () => {
    expect(readRequest({ event_type: "tree_indexed", payload: { source_path: "a" } })).toEqual({
      ok: false,
      unknownType: "tree_indexed",
    });
  });

  it("asks for what its options repeat", () => {
    const read = readRequest({
      payload: {
        source_path: "a",
        operation_type: "QUALITY_ASSESSMENT",
        options: { operation_type: "pattern_extraction" },
      },
    });
    expect(read.ok && requestOf(read.request.payload)).toMatchObject({
      operation: "PATTERN_EXTRACTION",
      limit: 50,
      offset: 0,
    });
  });
});

describe("an answer", () => {
  it("comes back as it was written, with its own id, the request's, and the asker's spelling", () => {
    const contents = {
      correlationId: "c",
      causationId: "r",
      spelling: "upper",
      payload: { source_path: "a" },
    } as const;
    const event = writeEvent("completed", contents, WRITTEN_BY);
    expect(event).toEqual({
      event_id: "e-1",
      event_type: "CODE_ANALYSIS_COMPLETED",
      correlation_id: "c",
      causation_id: "r",
      timestamp: "2026-01-02T00:00:00.000Z",
      version: "1.0.0",
      source: { service: "ganglion", instance_id: "host-a" },
      payload: { source_path: "a" },
    });
    expect(readAnswer(event)).toEqual({
      kind: "completed",
      correlationId: "c",
      causationId: "r",
      payload: { source_path: "a" },
    });
  });

  it("is unknown by its type, and unreadable where it is no event", () => {
    expect(readAnswer({ event_type: "code_analysis_requested", payload: {} })).toMatchObject({ kind: "unknown" });
    expect(readAnswer("text")).toMatchObject({ kind: "unreadable" });
  });
});

describe("error codes", () => {
  it("are ten, of which four may never be tried again", () => {
    expect(ERROR_CODES).toHaveLength(10);
    expect(ERROR_CODES.filter((code) => !isRetryAllowed(code)).toSorted()).toEqual([
      "INVALID_INPUT",
      "INVALID_OPERATION",
      "PARSING_ERROR",
      "UNSUPPORTED_LANGUAGE",
    ]);
  });

  it.each([
    ["TIMEOUT", "TIMEOUT"],
    ["timeout", "TIMEOUT"],
    ["service_unavailable", "BACKEND_UNAVAILABLE"],
    ["unknown", "INTERNAL_ERROR"],
    ["something_else", "INTERNAL_ERROR"],
  ])("are read in either case: %s", (text, code) => {
    expect(readErrorCode(text)).toBe(code);
  });
});
