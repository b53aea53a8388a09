import { describe, expect, it } from "vitest";
import { type ExportKind, NoExport } from "../../../src/core/agent-sessions/otlp/export.ts";
import { readProtobuf, writeAnswer } from "../../../src/core/agent-sessions/otlp/protobuf.ts";
import { readRecords } from "../../../src/core/agent-sessions/read-records.ts";
import fc from "../../fast-check.ts";
import { fixture } from "./telling.ts";
import { asProtobuf } from "./write-protobuf.ts";

describe("an export as a protocol buffer", () => {
  it.each([
    ["logs", "claude-code-logs.json"],
    ["logs", "codex-logs.json"],
    ["metrics", "claude-code-metrics-delta.json"],
    ["metrics", "claude-code-metrics-cumulative.json"],
    ["traces", "gen-ai-traces.json"],
  ] as const)("of %s says the same as in JSON: %s", (kind, name) => {
    const document = fixture(name);
    const read = (exported: unknown) => {
      const { records, unknown, rejected } = readRecords(kind, exported, "none");
      // What a repeated export repeats is written in another way.
      return { records: records.map(({ identity: _, ...record }) => record), unknown, rejected };
    };
    expect(read(readProtobuf(kind, asProtobuf(document)))).toEqual(read(document));
  });

  it("is refused, and not read beyond its end, wherever it is cut or changed", () => {
    const whole = asProtobuf(fixture("claude-code-logs.json"));
    const read = (bytes: Uint8Array) => {
      try {
        return readRecords("logs", readProtobuf("logs", bytes), "none").records.length;
      } catch (error) {
        if (error instanceof NoExport) return "refused";
        throw error;
      }
    };
    for (const length of [1, 2, 3, 50, 500, whole.length - 1]) expect(read(whole.slice(0, length))).toBe("refused");
    fc.assert(
      fc.property(fc.nat(whole.length - 1), fc.nat(255), (at, byte) => {
        read(whole.with(at, byte));
      }),
    );
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => void read(bytes)));
  });

  it("may hold no more messages than memory can bear, however few bytes they take", () => {
    const many = new Uint8Array(1_000_000).map((_, place) => (place % 2 === 0 ? 0x0a : 0x00));
    for (const kind of ["logs", "metrics", "traces"] as ExportKind[])
      expect(() => readProtobuf(kind, many)).toThrow(/too many messages/);
  });

  it("is answered by nothing where all was taken, and by the count and the reason where not", () => {
    expect(writeAnswer(0, "")).toHaveLength(0);
    expect([...writeAnswer(300, "no")]).toEqual([0x0a, 7, 0x08, 0xac, 0x02, 0x12, 2, 0x6e, 0x6f]);
  });
});
