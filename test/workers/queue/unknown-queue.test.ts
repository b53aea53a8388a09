import { listDurableObjectIds } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, test } from "vitest";
import { queueLobby } from "../../../src/workers/bindings/objects.ts";
import { call, freshEcosystem, post, problemOf } from "../api/calls.ts";
import { openChannel, queueOver } from "./queue-under-test.ts";

/** How many queues have an object. */
const objects = async () => (await listDurableObjectIds(env.PRIORITY_QUEUE as never)).length;
/** How many wait for the queue `work`, which does not exist yet, as worker or caller. */
const waitingFor = (eco: string, role: "worker" | "caller") => queueLobby(env, eco).waiting("work", role);
const aTask = { recipient: "w", type: "T", payload: {} };

describe("queue that does not exist", () => {
  test.each([
    ["GET", ""],
    ["GET", "/bottlenecks"],
    ["GET", "/events"],
    ["GET", "/tasks"],
    ["GET", "/tasks/t1"],
    ["GET", "/calls/c1"],
    ["POST", "/tasks/t1/cancel"],
    ["POST", "/tasks/t1/retry"],
  ])("is answered with 404 and not made by %s …%s", async (method, path) => {
    const eco = freshEcosystem();
    const before = await objects();
    const answer = await problemOf(await call(`/v1/${eco}/queues/typo${path}`, { method }));
    expect([answer.status, answer.detail]).toEqual([404, expect.stringContaining('No queue "typo"')]);
    expect(await objects()).toBe(before);
  });

  test("has no task for a worker that does not wait, and is not made by it", async () => {
    const eco = freshEcosystem();
    const before = await objects();
    const answer = await post(`/v1/${eco}/queues/typo/lease`, { recipient: "w" });
    expect([answer.status, await answer.json()]).toEqual([200, { tasks: [] }]);
    expect(await objects()).toBe(before);
  });

  test("has no responder for a caller that needs one, and is not made by the call", async () => {
    const eco = freshEcosystem();
    const before = await objects();
    const wanted = { recipient: "w", type: "T", payload: {}, require_responder: true };
    expect((await problemOf(await post(`/v1/${eco}/queues/typo/calls`, wanted))).status).toBe(503);
    expect(await objects()).toBe(before);
  });

  test("exists for everybody as soon as its first task is accepted", async () => {
    const eco = freshEcosystem();
    const accepted = await post(`/v1/${eco}/queues/work/tasks`, { ...aTask, task_id: "t1" });
    expect(accepted.status).toBe(202);
    expect(await (await call(`/v1/${eco}/queues/work/tasks/t1`)).json()).toMatchObject({ task_id: "t1" });
    expect(await (await call(`/v1/${eco}/queues/work`)).json()).toMatchObject({ depth: 1 });
    expect(await (await call(`/v1/${eco}/queues`)).json()).toMatchObject({ queues: [{ name: "work" }] });
  });
});

describe("queue for which somebody waits before it exists", () => {
  const queuesOf = async (eco: string) =>
    (await (await call(`/v1/${eco}/queues`)).json<{ queues: { name: string }[] }>()).queues.map(({ name }) => name);
  const ready = { type: "ready", recipient: "w", credit: 1 };
  const aCall = { type: "call", correlation_id: "c1", recipient: "w", task_type: "T", payload: 1, timeout_ms: 30_000 };

  test("is not made by a lease that waits, which gets its first task", async () => {
    const eco = freshEcosystem();
    const before = await objects();
    const asked = queueOver(eco).lease("w", { wait_ms: 30_000 });
    await expect.poll(() => waitingFor(eco, "worker")).toBe(1);
    expect([await queuesOf(eco), await objects()]).toEqual([[], before]);
    expect((await queueOver(eco).put({ ...aTask, task_id: "t1" })).status).toBe(202);
    expect(await asked).toMatchObject([{ task_id: "t1" }]);
  });

  test("is not made by a lease whose time ends", async () => {
    const eco = freshEcosystem();
    const before = await objects();
    expect(await queueOver(eco).lease("w", { wait_ms: 20 })).toEqual([]);
    expect([await queuesOf(eco), await objects()]).toEqual([[], before]);
    await expect.poll(() => waitingFor(eco, "worker")).toBe(0);
  });

  test("is not made by an open channel, over which its first task comes", async () => {
    const eco = freshEcosystem();
    const before = await objects();
    const worker = await openChannel(eco, "w");
    worker.send(ready);
    await expect.poll(() => waitingFor(eco, "worker")).toBe(1);
    expect([await queuesOf(eco), await objects()]).toEqual([[], before]);
    await queueOver(eco).put({ ...aTask, task_id: "t1" });
    const [task] = (await worker.next("tasks")).tasks ?? [];
    expect(task).toMatchObject({ task_id: "t1" });
    worker.send({ type: "complete", tasks: [{ task_id: "t1", lease_id: task?.lease_id, result: 7 }] });
    expect((await worker.next("done")).tasks).toMatchObject([{ task_id: "t1", status: "complete" }]);
  });

  test("is made by a task that comes over a channel", async () => {
    const eco = freshEcosystem();
    const sender = await openChannel(eco, "s");
    sender.send({ type: "enqueue", batch: 4, tasks: [{ ...aTask, task_id: "t1" }] });
    expect(await sender.next("enqueued")).toMatchObject({ batch: 4, tasks: [{ task_id: "t1" }] });
    expect(await queuesOf(eco)).toEqual(["work"]);
  });

  test("answers the other frames of a channel as a queue that knows no task", async () => {
    const eco = freshEcosystem();
    const before = await objects();
    const channel = await openChannel(eco, "w");
    channel.send({ type: "complete", tasks: [{ task_id: "t1", lease_id: "x" }] });
    expect((await channel.next("conflict")).tasks).toMatchObject([{ task_id: "t1", reason: "unknown" }]);
    channel.send({ type: "enqueue", batch: 1, tasks: [{ recipient: "w" }] });
    expect((await channel.next("refused")).problem?.status).toBe(422);
    channel.send({ ...aCall, require_responder: true });
    expect((await channel.next("reply")).problem).toMatchObject({ type: "/problems/no-responder" });
    channel.send({ ...aCall, correlation_id: "c2", timeout_ms: 20 });
    expect((await channel.next("reply")).problem).toMatchObject({ status: 504 });
    expect([await queuesOf(eco), await objects()]).toEqual([[], before]);
  });

  test("is not made by a call that nobody answers, which says that nothing is kept", async () => {
    const eco = freshEcosystem();
    const before = await objects();
    const refused = await problemOf(
      await post(`/v1/${eco}/queues/typo/calls`, { recipient: "w", type: "T", payload: 1, timeout_ms: 20 }),
    );
    expect([refused.status, refused.detail]).toEqual([504, expect.stringContaining('No queue "typo"')]);
    expect([await queuesOf(eco), await objects()]).toEqual([[], before]);
  });

  test.each(["a channel", "a lease"])("begins when a call meets a responder that waits by %s", async (how) => {
    const eco = freshEcosystem();
    const body = { recipient: "w", type: "T", payload: 1, timeout_ms: 30_000, correlation_id: "c1" };
    const calling = post(`/v1/${eco}/queues/work/calls`, body);
    await expect.poll(() => waitingFor(eco, "caller")).toBe(1);
    if (how === "a channel") {
      const responder = await openChannel(eco, "w");
      responder.send(ready);
      const [task] = (await responder.next("tasks")).tasks ?? [];
      responder.send({ type: "complete", tasks: [{ task_id: "c1", lease_id: task?.lease_id, result: 7 }] });
    } else {
      await expect
        .poll(async () => {
          const [task] = await queueOver(eco).lease("w");
          return task && (await queueOver(eco).act("c1", "complete", { lease_id: task.lease_id, result: 7 })).status;
        })
        .toBe(200);
    }
    expect(await (await calling).json()).toMatchObject({ result: 7 });
    expect(await queuesOf(eco)).toEqual(["work"]);
  });

  test("begins when a call over a channel meets a responder, also one that must be there", async () => {
    const eco = freshEcosystem();
    const responder = await openChannel(eco, "w");
    responder.send(ready);
    await expect.poll(() => waitingFor(eco, "worker")).toBe(1);
    const wanted = { recipient: "w", type: "T", payload: 1, require_responder: true, correlation_id: "c0" };
    const calling = post(`/v1/${eco}/queues/work/calls`, wanted);
    const [task] = (await responder.next("tasks")).tasks ?? [];
    responder.send({ type: "complete", tasks: [{ task_id: "c0", lease_id: task?.lease_id, result: 7 }] });
    expect((await calling).status).toBe(200);
  });

  test("begins for a call over a channel that came before its responder", async () => {
    const eco = freshEcosystem();
    const caller = await openChannel(eco, "c");
    caller.send(aCall);
    await expect.poll(() => waitingFor(eco, "caller")).toBe(1);
    const responder = await openChannel(eco, "w");
    responder.send(ready);
    const [task] = (await responder.next("tasks")).tasks ?? [];
    responder.send({ type: "complete", tasks: [{ task_id: "c1", lease_id: task?.lease_id, result: 7 }] });
    expect(await caller.next("reply")).toMatchObject({ correlation_id: "c1", result: 7 });
  });

  test("is made by settings", async () => {
    const eco = freshEcosystem();
    expect((await queueOver(eco).configure({ capacity: 10 })).status).toBe(200);
    expect(await queuesOf(eco)).toEqual(["work"]);
  });
});
