import { describe, expect, it } from "vitest";
import { readAnyValue, readAttributes } from "../../../src/core/agent-sessions/otlp/attributes.ts";
import { NoExport, readLogs } from "../../../src/core/agent-sessions/otlp/export.ts";
import { readRecords } from "../../../src/core/agent-sessions/read-records.ts";
import { signalsOf, unknownSignal } from "../../../src/core/agent-sessions/to-signals.ts";
import { digest, exported, fixture, fixtureText, START_MS } from "./telling.ts";

const log = (name: string, more: object = {}) => ({
  timeUnixNano: `${START_MS}000000`,
  attributes: [
    { key: "event.name", value: { stringValue: name } },
    { key: "session.id", value: { stringValue: "s" } },
  ],
  ...more,
});
const export_ = (...logRecords: unknown[]) => ({
  resourceLogs: [
    {
      resource: { attributes: [{ key: "service.name", value: { stringValue: "claude-code" } }] },
      scopeLogs: [{ logRecords }],
    },
  ],
});

describe("a value of OTLP", () => {
  it.each([
    [{ stringValue: "a" }, "a"],
    [{ boolValue: false }, false],
    [{ intValue: "42" }, 42],
    [{ intValue: 42 }, 42],
    [{ intValue: "9223372036854775807" }, "9223372036854775807"],
    [{ doubleValue: 1.5 }, 1.5],
    [{ doubleValue: "NaN" }, null],
    [{ bytesValue: "AAE=" }, "AAE="],
    [{ arrayValue: { values: [{ intValue: "1" }, { stringValue: "b" }, {}] } }, [1, "b", null]],
    [{ kvlistValue: { values: [{ key: "k", value: { boolValue: true } }] } }, { k: true }],
    [{ arrayValue: {} }, []],
    [{ somethingNew: 1 }, null],
    ["no object", null],
  ])("%j is %j", (value, read) => {
    expect(readAnyValue(value)).toEqual(read);
  });

  it("is cut where it is nested too deeply, too long, or too many", () => {
    let deep: object = { stringValue: "end" };
    for (let level = 0; level < 50; level++) deep = { arrayValue: { values: [deep] } };
    expect(JSON.stringify(readAnyValue(deep))).toContain("nested too deeply");
    expect(readAnyValue({ stringValue: "a".repeat(100_000) })).toHaveLength(16_384);
    const many = Array.from({ length: 5_000 }, (_, place) => ({ key: `k${place}`, value: { intValue: place } }));
    expect(readAttributes(many).size).toBe(256);
    expect(readAttributes([{ key: "__proto__", value: { stringValue: "x" } }, "none", { value: {} }]).size).toBe(1);
  });
});

describe("an export", () => {
  it("is read record by record: what cannot be read is counted with its reason, and hides no neighbour", () => {
    const read = readRecords("logs", export_(log("user_prompt"), "no record", null, log("api_request")), "none");
    expect(read.records.map(({ signal }) => signal)).toEqual(["Q_SESSION_PROMPTED", "Q_SESSION_USAGE"]);
    expect(read).toMatchObject({ rejected: 2, reasons: ["logRecords holds something that is no object"] });
  });

  it("may be empty, and is refused where it is none", () => {
    expect(readLogs({}).records).toEqual([]);
    expect(readLogs({ resourceLogs: [] }).rejected).toBe(0);
    expect(() => readLogs([])).toThrow(NoExport);
    expect(() => readLogs({ resourceLogs: "x" })).toThrow(NoExport);
  });

  it("keeps the first thousand records, and says how many it refused", () => {
    const read = readRecords("logs", export_(...Array.from({ length: 1_010 }, () => log("user_prompt"))), "none");
    expect(read.records).toHaveLength(1_000);
    expect(read.rejected).toBe(10);
    expect(read.reasons[0]).toContain("one export may hold 1000");
  });

  it("has times as numbers and as texts, and ids in any case", async () => {
    const traced = { traceId: "4BF92F3577B34DA6A3CE929D0E0E4736", spanId: "00F067AA0BA902B7" };
    const both = export_(
      log("user_prompt", { timeUnixNano: START_MS * 1e6, ...traced }),
      log("api_request", { timeUnixNano: "0", observedTimeUnixNano: `${START_MS + 5}000000`, traceId: "0".repeat(32) }),
    );
    const [first, second] = await exported("logs", both, START_MS + 10);
    expect(first).toMatchObject({
      timestamp: new Date(START_MS).toISOString(),
      trace: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
    });
    expect(second?.timestamp).toBe(new Date(START_MS + 5).toISOString());
    expect(second?.trace).toBeUndefined();
  });

  it("gives each record an id of its own, the same when the record comes again in another export", async () => {
    const { records } = readRecords("logs", fixture("claude-code-logs.json"), "none");
    const making = { nowMs: START_MS + 60_000, sourceOf: (agent: string) => agent, digest };
    const ids = (await signalsOf(records, making)).map(({ id }) => id);
    expect(new Set(ids).size).toBe(8);
    const later = await signalsOf(records.slice(3), { ...making, nowMs: making.nowMs + 5_000 });
    expect(later.map(({ id }) => id)).toEqual(ids.slice(3));
  });

  it("names what is not known in one observation, and nothing of its contents", async () => {
    const strange = [log("brand_new_event"), log("brand_new_event"), { body: { stringValue: "hello secret" } }];
    const { unknown, records } = readRecords("logs", export_(...strange), "none");
    expect(records).toEqual([]);
    const making = { nowMs: START_MS, sourceOf: (agent: string) => agent, digest };
    const signal = await unknownSignal(unknown, "text", making);
    expect(signal).toMatchObject({
      signal: "OBSERVATION",
      source: "claude-code",
      facts: { zooid: "claude-code", unknown_records: 3, unknown_names: ["brand_new_event", ""] },
    });
    expect(JSON.stringify(signal)).not.toContain("secret");
  });

  it("of metrics and traces names what is not known, too", () => {
    const metrics = readRecords("metrics", fixture("claude-code-metrics-delta.json"), "none");
    expect(metrics.unknown.records).toBe(0);
    const text = fixtureText("claude-code-metrics-delta.json").replace("claude_code.cost.usage", "claude_code.new");
    expect([...readRecords("metrics", JSON.parse(text), "none").unknown.names]).toEqual(["claude_code.new"]);
    expect([...readRecords("traces", fixture("gen-ai-traces.json"), "none").unknown.names]).toEqual(["GET /invoices"]);
  });

  it("names its source and its task by attributes of the resource", async () => {
    const text = fixtureText("codex-logs.json").replace(
      '"attributes": [',
      '"attributes": [{ "key": "ganglion.source", "value": { "stringValue": "team/alice" } },',
    );
    const [signal] = await exported("logs", JSON.parse(text), START_MS + 60_000);
    expect(signal?.source).toBe("team/alice");
    expect((await exported("logs", fixture("codex-logs.json"), START_MS + 60_000))[0]?.source).toBe("codex");
  });
});
