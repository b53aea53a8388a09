import { once } from "node:events";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type WebSocket, WebSocketServer } from "ws";
import { type Caller, openCaller } from "../../../src/client/work/caller.ts";
import { FakeQueue } from "./fake-queue.ts";

let queue: FakeQueue;
let caller: Caller;

beforeEach(async () => {
  queue = new FakeQueue();
  caller = openCaller("work", { url: await queue.start(), token: "t" });
});
afterEach(async () => {
  caller.close();
  await queue.stop();
});

const call = (correlationId: string, options: object = {}) =>
  caller.call("oracle", "ASK", { of: "life" }, { correlationId, timeoutMs: 20_000, ...options });

describe("a caller", () => {
  it("sends a call with its time and resolves with the reply", async () => {
    const reply = call("c1", { requireResponder: true });
    expect(await queue.next("call")).toMatchObject({
      correlation_id: "c1",
      recipient: "oracle",
      task_type: "ASK",
      payload: { of: "life" },
      timeout_ms: 20_000,
      require_responder: true,
    });
    queue.send({ type: "reply", correlation_id: "c1", result: 42, responder: "w", duration_ms: 3 });
    expect(await reply).toEqual({ correlation_id: "c1", result: 42, responder: "w", duration_ms: 3 });
  });

  it("sends the calls that have no reply again over the next connection", async () => {
    const reply = call("c1");
    await queue.next("call");
    queue.socket?.terminate();
    expect(await queue.next("call")).toMatchObject({ correlation_id: "c1" });
    queue.send({ type: "reply", correlation_id: "c1", result: "late but once" });
    expect((await reply).result).toBe("late but once");
  });

  it("sends a call again that an overloaded queue refused", async () => {
    const reply = call("c1");
    await queue.next("call");
    const problem = { type: "/problems/overloaded", title: "The queue is overloaded", status: 503 };
    queue.send({ type: "reply", correlation_id: "c1", problem });
    await queue.next("call");
    queue.send({ type: "reply", correlation_id: "c1", result: null });
    expect((await reply).result).toBeNull();
  });

  it("resolves every call that waits under one id by the one reply", async () => {
    const replies = [call("c1"), call("c1")];
    await queue.next("call");
    await queue.next("call");
    queue.send({ type: "reply", correlation_id: "c1", result: 42 });
    expect((await Promise.all(replies)).map(({ result }) => result)).toEqual([42, 42]);
  });

  it("cancels a call only when nobody waits for it any more", async () => {
    const aborting = new AbortController();
    const aborted = call("c1", { signal: aborting.signal });
    const waiting = call("c1");
    const other = call("c2");
    await queue.next("call");
    aborting.abort(new Error("not needed"));
    await expect(aborted).rejects.toThrow("not needed");
    queue.send({ type: "reply", correlation_id: "c1", result: 42 });
    expect((await waiting).result).toBe(42);
    const last = call("c3", { signal: AbortSignal.timeout(1) });
    await expect(last).rejects.toThrow();
    // Frames keep their order: a cancellation of the first would have come before this one.
    expect(await queue.next("cancel")).toMatchObject({ correlation_id: "c3" });
    queue.send({ type: "reply", correlation_id: "c2", result: 42 });
    await other;
  });

  it("rejects with the problem of the reply", async () => {
    const reply = call("c1");
    await queue.next("call");
    const problem = { type: "/problems/responder-failed", title: "The responder failed", status: 502 };
    queue.send({ type: "reply", correlation_id: "c1", problem });
    await expect(reply).rejects.toMatchObject({ problem });
  });

  it("rejects with 504 when the time is over", async () => {
    await expect(call("c1", { timeoutMs: 20 })).rejects.toMatchObject({
      problem: { status: 504, type: "/problems/call-timed-out", correlation_id: "c1" },
    });
  });

  it("cancels the call when its signal is aborted", async () => {
    const aborting = new AbortController();
    const reply = call("c1", { signal: aborting.signal });
    await queue.next("call");
    aborting.abort(new Error("not needed"));
    await expect(reply).rejects.toThrow("not needed");
    expect(await queue.next("cancel")).toMatchObject({ correlation_id: "c1" });
  });

  it("rejects the calls that have no reply when it is closed", async () => {
    const reply = call("c1");
    await queue.next("call");
    caller.close();
    await expect(reply).rejects.toThrow("the caller was closed");
  });

  it("fails a call at once that no message can hold or that is no JSON, and sends the calls beside it", async () => {
    const circular: { self?: unknown } = {};
    circular.self = circular;
    const beside = call("c1");
    const refusal = { problem: expect.objectContaining({ status: 422, title: "The call is invalid" }) };
    await Promise.all(
      ["x".repeat(1_200_000), circular].map((payload, place) =>
        expect(
          caller.call("oracle", "ASK", payload, { correlationId: `big${place}`, timeoutMs: 20_000 }),
        ).rejects.toMatchObject(refusal),
      ),
    );
    expect(await queue.next("call")).toMatchObject({ correlation_id: "c1" });
    queue.send({ type: "reply", correlation_id: "c1", result: 42 });
    expect((await beside).result).toBe(42);
  });
});

describe("a caller whose channel comes while a call is under way over HTTP", () => {
  it("gives its reply to the same call that is made again, though the answer over HTTP comes in between", async () => {
    const channels = new WebSocketServer({ noServer: true, handleProtocols: () => "ganglion.work.v1" });
    const overHttp = Promise.withResolvers<ServerResponse>();
    let refused = 0;
    const server = createServer((_, response) => overHttp.resolve(response));
    server.on("upgrade", (request, socket, head) => {
      if (refused++ === 0) socket.end("HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n");
      else channels.handleUpgrade(request, socket, head, (open) => channels.emit("connection", open));
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    const waiting = openCaller("work", { url: `http://127.0.0.1:${port}`, token: "t" });
    const ask = () => waiting.call("oracle", "ASK", {}, { correlationId: "c1", timeoutMs: 20_000 });
    const reply = { correlation_id: "c1", result: 42, responder: "w", duration_ms: 3 };
    try {
      const connected = once(channels, "connection");
      const first = ask();
      const held = await overHttp.promise;
      const [channel] = (await connected) as [WebSocket];
      await once(channel, "message");
      channel.send(JSON.stringify({ type: "reply", ...reply }));
      expect(await first).toEqual(reply);

      const again = ask();
      await once(channel, "message");
      held.setHeader("Content-Type", "application/json").end(JSON.stringify(reply));
      await once(held, "close");
      // The answer has been read when a call that was made after it has its reply.
      const other = waiting.call("oracle", "ASK", {}, { correlationId: "c2", timeoutMs: 20_000 });
      await once(channel, "message");
      channel.send(JSON.stringify({ type: "reply", ...reply, correlation_id: "c2" }));
      await other;
      channel.send(JSON.stringify({ type: "reply", ...reply }));
      expect(await again).toEqual(reply);
    } finally {
      waiting.close();
      for (const client of channels.clients) client.terminate();
      server.close();
    }
  });
});
