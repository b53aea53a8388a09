import { describe, expect, it } from "vitest";
import { CallsUnderWay } from "../../../src/core/telemetry/calls-under-way.ts";
import type { Payload } from "../../../src/core/telemetry/span.ts";
import {
  type ToolCall,
  toolCallSpan,
  traceOfCall,
  writeToolCall,
} from "../../../src/core/telemetry/tool-call-spans.ts";
import fc from "../../fast-check.ts";

const TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
const call: Omit<ToolCall, "input" | "output"> = {
  id: "c1",
  tool: "emit_signal",
  trace: TRACE,
  caller: "claude",
  revision: "2026-07-28",
  startMs: 1_000,
  endMs: 1_030,
};
const parts = { args: { signal: "X", facts: { key: "top secret" } }, result: { ids: ["top secret id"] } };
const spanOf = (payload: Payload, more: Partial<ToolCall> = {}) =>
  toolCallSpan(writeToolCall({ ...call, ...more }, parts, payload), true);

describe("the span of a tool's call", () => {
  it("is that of a server, below the caller's, with the tool, who called and how long it took", () => {
    expect(spanOf("none")).toMatchObject({
      traceId: "0af7651916cd43dd8448eb211c80319c",
      parentSpanId: "b7ad6b7169203331",
      name: "tools/call emit_signal",
      kind: 2,
      startMs: 1_000,
      endMs: 1_030,
      attributes: {
        "mcp.method.name": "tools/call",
        "mcp.protocol.version": "2026-07-28",
        "gen_ai.operation.name": "execute_tool",
        "gen_ai.tool.name": "emit_signal",
        "ganglion.caller": "claude",
      },
      failed: undefined,
    });
  });

  it("is the one that stands above what the call does, whether the caller has a trace or not", () => {
    for (const trace of [TRACE, undefined, "nonsense"]) {
      const { traceId, spanId } = spanOf("none", { trace });
      expect(traceOfCall("c1", trace)).toBe(`00-${traceId}-${spanId}-01`);
    }
    expect(spanOf("none", { trace: undefined }).parentSpanId).toBeUndefined();
    expect(spanOf("none", { id: "c2" }).spanId).not.toBe(spanOf("none").spanId);
  });

  it("has nothing of arguments, results and errors, the names of the fields, or all, as the export says", () => {
    const failed = { error: "no-scope", detail: "top secret detail" };
    const text = (payload: Payload) => JSON.stringify(spanOf(payload, failed));
    expect(text("none")).not.toMatch(/secret|facts|ids/);
    expect(text("none")).toContain('"error.type":"no-scope"');
    expect(text("keys")).toContain("facts");
    expect(text("keys")).not.toContain("secret");
    expect(text("all")).toContain("top secret detail");
    expect(spanOf("all").observation).toMatchObject({
      input: JSON.stringify(parts.args),
      output: JSON.stringify(parts.result),
    });
  });

  it("has nothing of them either where they were gathered under other settings", () => {
    const gathered = writeToolCall({ ...call, error: "x", detail: "secret" }, parts, "all");
    expect(JSON.stringify(toolCallSpan(gathered, false))).not.toContain("secret");
  });

  it("is bounded, however long arguments and results are", () => {
    const long = writeToolCall(call, { args: { text: "x".repeat(1_000_000) }, result: "y".repeat(1_000_000) }, "all");
    expect(JSON.stringify(long).length).toBeLessThan(70_000);
  });
});

describe("calls that are handed over", () => {
  it("are never more than the bound, and one that never ends is forgotten in time", () => {
    const step = fc.record({
      ms: fc.nat(20_000),
      what: fc.constantFrom("begin" as const, "end" as const, "lose" as const),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const calls = new CallsUnderWay(3, 30_000);
        let nowMs = 0;
        const open: { readonly end: () => void; readonly sinceMs: number; lost: boolean }[] = [];
        for (const { ms, what } of steps) {
          nowMs += ms;
          const counted = open.filter(({ sinceMs }) => nowMs - sinceMs < 30_000);
          if (what === "begin") {
            const end = calls.begin(nowMs);
            expect(end === undefined).toBe(counted.length >= 3);
            if (end !== undefined) open.push({ end, sinceMs: nowMs, lost: false });
          } else if (what === "end") {
            const place = open.findIndex(({ lost }) => !lost);
            if (place >= 0) open.splice(place, 1)[0]?.end();
          } else {
            const one = open.find(({ lost }) => !lost);
            if (one !== undefined) one.lost = true;
          }
        }
      }),
      { numRuns: 1_000 },
    );
  });
});
