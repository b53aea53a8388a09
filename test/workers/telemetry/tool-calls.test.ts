import { afterEach, describe, expect, it, vi } from "vitest";
import { Telemetry } from "../../../src/durable-objects/telemetry/object.ts";
import { attributesOf, type ReceivedSpan } from "../../harness/otlp-schema.ts";
import { makeToken } from "../access/tokens-under-test.ts";
import { call } from "../api/calls.ts";
import { answerOf, connect, ERAS, use } from "../mcp/client-under-test.ts";
import { exportOf } from "./export-under-test.ts";

afterEach(() => void vi.restoreAllMocks());

/** The handed-over calls of an export, as they come. */
function handedOver() {
  const taken: { readonly tool: string; readonly payload: string; readonly input: string | undefined }[] = [];
  const { takeCalls } = Telemetry.prototype;
  vi.spyOn(Telemetry.prototype, "takeCalls").mockImplementation(function (this: Telemetry, handed) {
    for (const { tool, input } of handed.calls) taken.push({ tool, payload: handed.payload, input });
    return takeCalls.call(this, handed);
  });
  return taken;
}
const ofCalls = (spans: readonly ReceivedSpan[]) => spans.filter(({ name }) => name.startsWith("tools/call "));

describe("calls of tools", () => {
  it.each(ERAS)(
    "are spans of the export, of a client of the revision %s, with refusals as errors and nothing of their payload",
    async (era) => {
      const exported = exportOf();
      const { ecosystem } = exported;
      const taken = handedOver();
      await exported.to("200");
      const { token } = await makeToken(ecosystem, ["signals:read", "signals:write"]);
      const client = await connect(ecosystem, { token, era });
      await answerOf(client, "emit_signal", { signal: "X", source: "me", facts: { word: "xyzzy" }, id: "x-1" });
      expect((await use(client, "take_task", { queue: "q", recipient: "me" })).isError).toBe(true);
      await client.close();
      await vi.waitFor(() => expect(taken.map(({ tool }) => tool).sort()).toEqual(["emit_signal", "take_task"]));
      await exported.flush();
      const { spans, invalid } = await exported.received({ spans: 2 });
      expect(invalid).toEqual([]);
      const calls = ofCalls(spans);
      expect(calls.map(({ name }) => name).sort()).toEqual(["tools/call emit_signal", "tools/call take_task"]);
      expect(new Set(calls.map(({ kind }) => kind))).toEqual(new Set([2]));
      const refused = calls.find(({ name }) => name.endsWith("take_task"));
      expect(refused).toMatchObject({ status: { code: 2 } });
      expect(attributesOf(refused ?? calls[0] ?? ({} as ReceivedSpan))).toMatchObject({
        "error.type": "no-scope",
        "gen_ai.tool.name": "take_task",
      });
      expect(JSON.stringify(calls)).not.toContain("xyzzy");
      expect((await exported.show()).health).toMatchObject({ exported: 2, waiting: 0, dropped: 0 });
    },
  );

  it("stand in the caller's trace, and what they do stands below them", async () => {
    const exported = exportOf();
    const { ecosystem } = exported;
    const taken = handedOver();
    await exported.to("200");
    const traceId = "0af7651916cd43dd8448eb211c80319c";
    const client = await connect(ecosystem, { headers: { traceparent: `00-${traceId}-b7ad6b7169203331-01` } });
    // The isolate learns with the first call that the ecosystem exports.
    await answerOf(client, "list_gaps");
    await vi.waitFor(() => expect(taken).toHaveLength(1));
    await answerOf(client, "emit_signal", { signal: "X", source: "me", facts: {}, id: "below-1" });
    await vi.waitFor(() => expect(taken).toHaveLength(2));
    await exported.flush();
    const { spans } = await exported.received({ spans: 2 });
    const emit = spans.find(({ name }) => name === "tools/call emit_signal");
    expect(emit).toMatchObject({ traceId, parentSpanId: "b7ad6b7169203331" });
    const { signals } = (await (await call(`/v1/${ecosystem}/signals?signal=X`)).json()) as {
      signals: { trace: string }[];
    };
    expect(signals[0]?.trace).toBe(`00-${traceId}-${emit?.spanId}-01`);
  });

  it("are handed over with what the export lets leave, and no more", async () => {
    const exported = exportOf();
    const taken = handedOver();
    await exported.to("200", { payload: "keys" });
    const client = await connect(exported.ecosystem);
    await answerOf(client, "emit_signal", { signal: "X", source: "me", facts: { word: "xyzzy" } });
    await vi.waitFor(() => expect(taken).toMatchObject([{ payload: "keys", input: '["signal","source","facts"]' }]));
  });

  it("are nobody's business while the export is off: its object is not called", async () => {
    const exported = exportOf();
    const taken = handedOver();
    const told = vi.spyOn(Telemetry.prototype, "sourceExport");
    const client = await connect(exported.ecosystem);
    await answerOf(client, "list_gaps");
    await answerOf(client, "emit_signal", { signal: "X", source: "me", facts: {} });
    // Another ecosystem's calls, which are handed over, come after.
    const other = exportOf();
    await other.to("200");
    await answerOf(await connect(other.ecosystem), "what_needs_attention");
    await vi.waitFor(() => expect(taken.map(({ tool }) => tool)).toEqual(["what_needs_attention"]));
    expect(told).toHaveBeenCalledTimes(1);
  });

  it("end with the export, and count those that were given up", async () => {
    const exported = exportOf();
    await exported.to("200");
    const one = { id: "a", tool: "list_gaps", caller: "me", startMs: 1, endMs: 2 };
    const handed = { calls: [one], payload: "none" as const, dropped: 3 };
    expect(await exported.stub().takeCalls(handed)).toEqual({
      payload: "none",
    });
    expect((await exported.show()).health).toMatchObject({ waiting: 1, dropped: 3 });
    await call(exported.path, { method: "DELETE" });
    expect(await exported.stub().takeCalls(handed)).toEqual({
      off: true,
    });
  });
});
