import { afterEach, beforeEach, describe, expect, it } from "vitest";
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
