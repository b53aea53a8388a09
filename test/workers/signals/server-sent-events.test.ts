import { describe, expect, it } from "vitest";
import { streamEvents } from "../../../src/workers/api/http/server-sent-events.ts";

/** The log's end of a stream in the hands of the test, and what the Worker says to it. */
async function openStream() {
  const { 0: client, 1: server } = new WebSocketPair();
  server.accept();
  const seen: number[] = [];
  const waiting: (() => void)[] = [];
  server.addEventListener("message", ({ data }) => {
    seen.push(JSON.parse(String(data)).seq);
    for (const wake of waiting.splice(0)) wake();
  });
  const closed = new Promise<void>((resolve) => server.addEventListener("close", () => resolve()));
  const log = { fetch: async () => new Response(null, { status: 101, webSocket: client }) };
  const response = await streamEvents(log, "https://log/x/stream?after=5", 5);
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  if (reader === undefined) throw new Error("no body");
  const push = (...seqs: number[]) =>
    server.send(JSON.stringify({ type: "signals", last: seqs.at(-1), signals: seqs.map((seq) => ({ seq })) }));
  return { server, seen, closed, reader, push, nextSeen: () => new Promise<void>((resolve) => waiting.push(resolve)) };
}

describe("server-sent events from the log's stream", () => {
  it("give the place to resume at before the first signal comes", async () => {
    const { reader } = await openStream();
    expect((await reader.read()).value).toBe("retry: 1000\nid: 5\n\n");
    await reader.cancel();
  });

  it("acknowledge a frame only when the reader has taken it", async () => {
    const { reader, push, seen, nextSeen } = await openStream();
    await reader.read();
    push(6, 7);
    push(8);
    const acknowledged = nextSeen();
    // Both frames have reached the Worker once this one has, which the log sends last and the Worker does not know.
    expect((await reader.read()).value).toBe('id: 6\ndata: {"seq":6}\n\nid: 7\ndata: {"seq":7}\n\n');
    await acknowledged;
    expect(seen).toEqual([7]);
    const next = nextSeen();
    expect((await reader.read()).value).toBe('id: 8\ndata: {"seq":8}\n\n');
    await next;
    expect(seen).toEqual([7, 8]);
    await reader.cancel();
  });

  it("move the place over signals that were passed by", async () => {
    const { reader, server } = await openStream();
    await reader.read();
    server.send(JSON.stringify({ type: "signals", last: 90, signals: [{ seq: 6 }] }));
    expect((await reader.read()).value).toBe('id: 6\ndata: {"seq":6}\n\nid: 90\n\n');
    await reader.cancel();
  });

  it("let go of the log when the reader goes away", async () => {
    const { reader, closed } = await openStream();
    await reader.read();
    await reader.cancel();
    await closed;
  });

  it("end when the log's end does, after what had come, so that the reader resumes elsewhere", async () => {
    const { reader, server, push } = await openStream();
    push(6);
    server.close(1012, "moving");
    const texts: string[] = [];
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      texts.push(value);
    }
    expect(texts.join("")).toBe('retry: 1000\nid: 5\n\nid: 6\ndata: {"seq":6}\n\n');
  });
});
