import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { describe, expect, test } from "vitest";
import { call, freshEcosystem, post, problemOf } from "../api/calls.ts";
import { allOf } from "../log-under-test.ts";
import { patience } from "../patience.ts";
import { aTask, openChannel, queueOver, queueStub } from "./queue-under-test.ts";

const answerOf = async (response: Promise<Response>) => {
  const { status } = await response;
  return { status, body: (await (await response).json()) as Record<string, unknown> };
};
const idsOf = async (response: Promise<Response>) =>
  ((await (await response).json()) as { tasks: { task_id: string }[] }).tasks.map(({ task_id }) => task_id);

/** A queue over HTTP, with what people do to it. */
function aQueue() {
  const eco = freshEcosystem();
  const queue = queueOver(eco);
  return {
    eco,
    queue,
    pause: (body: object = {}) => answerOf(post(`${queue.base}/pause`, body)),
    resume: () => answerOf(call(`${queue.base}/resume`, { method: "POST" })),
    bulk: (action: string, body: object = {}) => answerOf(post(`${queue.base}/${action}`, body)),
    list: (query: string) => idsOf(queue.get(`/tasks?${query}`)),
    /** Ends a task as failed. */
    async fail(id: string, more: object = {}) {
      await queue.put(aTask({ task_id: id, max_attempts: 1, priority: 1, ...more }));
      const [leased] = await queue.lease("coder");
      await queue.act(id, "fail", { lease_id: leased?.lease_id, error: "no disk", retry: false });
    },
  };
}

describe("a queue that is paused", () => {
  test("takes tasks, gives none out, has running tasks finished, and says so to who asks for work", async () => {
    const { queue, pause, resume } = aQueue();
    await queue.put(aTask({ task_id: "t1" }));
    const [held] = await queue.lease("coder");
    expect(await pause({ reason: "the model is down" })).toMatchObject({
      status: 200,
      body: { queue: "work", paused: { by: "ADMIN_TOKEN", reason: "the model is down" } },
    });
    expect((await queue.put(aTask({ task_id: "t2" }))).status).toBe(202);
    expect(await answerOf(post(`${queue.base}/lease`, { recipient: "coder", wait_ms: 1 }))).toMatchObject({
      body: { tasks: [], paused: { reason: "the model is down" } },
    });
    expect((await queue.act("t1", "extend", { lease_id: held?.lease_id, lease_ms: 9_000 })).status).toBe(200);
    expect((await queue.act("t1", "complete", { lease_id: held?.lease_id })).status).toBe(200);
    expect(await queue.status()).toMatchObject({ depth: 1, running: 0, paused: { by: "ADMIN_TOKEN" } });
    expect((await resume()).body).toEqual({ queue: "work", paused: null });
    expect((await queue.lease("coder")).map(({ task_id }) => task_id)).toEqual(["t2"]);
  });

  test("stays so when it is paused again and across an eviction, and serves who waits as soon as it goes on", async () => {
    const { eco, queue, pause, resume } = aQueue();
    await queue.put(aTask({ task_id: "t1" }));
    const first = await pause({ reason: "why" });
    expect((await pause()).body).toEqual(first.body);
    await evictDurableObject(queueStub(eco));
    const waiting = queue.lease("coder", { wait_ms: 30_000 });
    await expect.poll(async () => (await queue.status()).workers, patience).toEqual({ coder: 1 });
    expect(await queue.status()).toMatchObject({ paused: { reason: "why" }, running: 0 });
    await resume();
    expect(await waiting).toMatchObject([{ task_id: "t1" }]);
    await resume();
    const signals = (await allOf(eco)).filter(({ signal }) => signal === "Q_QUEUE_PAUSE");
    expect(signals.map(({ facts }) => facts)).toMatchObject([
      { queue: "work", state: "paused", by: "ADMIN_TOKEN", reason: "why" },
      { queue: "work", state: "resumed", by: "ADMIN_TOKEN" },
    ]);
  });

  test("tells the ends of channels that take tasks, also one that comes while it is paused", async () => {
    const { eco, queue, pause, resume } = aQueue();
    await queue.put(aTask({ task_id: "t1", delay_ms: 86_400_000 }));
    const [early, sender] = [await openChannel(eco, "early"), await openChannel(eco, "sender")];
    await early.ready("coder", 1);
    await pause({ reason: "why" });
    expect(await early.next("paused")).toMatchObject({ since: expect.any(String), reason: "why" });
    const late = await openChannel(eco, "late");
    late.send({ type: "ready", recipient: "coder", credit: 1 });
    await late.next("paused");
    await queue.put(aTask({ task_id: "t2" }));
    await resume();
    expect((await early.next("tasks")).tasks).toMatchObject([{ task_id: "t2" }]);
    await late.next("resumed");
    sender.send({ type: "no such frame" });
    await sender.next("refused");
    expect(sender.waiting).toEqual([]);
  });

  test("opens no breaker, because nobody could answer", async () => {
    const { queue, pause, resume } = aQueue();
    await queue.configure({ breaker_failures: 1 });
    await pause();
    const asked = { recipient: "coder", type: "ASK", payload: 1, timeout_ms: 1 };
    expect((await post(`${queue.base}/calls`, asked)).status).toBe(504);
    await resume();
    expect(await queue.status()).toMatchObject({ breakers: [] });
  });
});

describe("purging a queue", () => {
  test("counts first, takes what waits of a filter and leaves no trace but one signal", async () => {
    const { eco, queue, bulk, list } = aQueue();
    await queue.put([
      aTask({ task_id: "a" }),
      aTask({ task_id: "b", type: "TEST" }),
      aTask({ task_id: "c", recipient: "tester" }),
      aTask({ task_id: "held", priority: 1 }),
    ]);
    await queue.lease("coder");
    const filter = { recipient: "coder", type: "TASK_DELEGATE" };
    expect(await bulk("purge", { filter, dry_run: true })).toEqual({
      status: 200,
      body: { dry_run: true, matched: 1, done: 0, running: false },
    });
    expect(await list("")).toEqual(["a", "b", "c", "held"]);
    expect((await bulk("purge", { filter })).body).toMatchObject({ matched: 1, done: 1, running: false });
    expect(await list("")).toEqual(["b", "c", "held"]);
    expect((await call(`${queue.base}/tasks/a`)).status).toBe(404);
    expect((await bulk("purge", { filter: { older_than_ms: 3_600_000 } })).body).toMatchObject({ done: 0 });
    expect((await bulk("purge")).body).toMatchObject({ done: 2 });
    await evictDurableObject(queueStub(eco));
    expect(await list("")).toEqual(["held"]);
    expect(await queue.status()).toMatchObject({ depth: 0, running: 1, bulk: null });
    expect(await (await queue.put(aTask({ task_id: "a" }))).json()).toEqual({
      tasks: [{ task_id: "a", status: "queued" }],
    });
    const signals = (await allOf(eco)).filter(({ signal }) => signal === "Q_QUEUE_BULK");
    expect(signals.map(({ facts }) => facts)).toMatchObject([
      { action: "purge", filter, done: 1, by: "ADMIN_TOKEN" },
      { done: 0 },
      { done: 2, filter: {} },
    ]);
    const { entries } = await (await call(`/v1/${eco}/audit`)).json<{ entries: { operation: string }[] }>();
    expect(entries.filter(({ operation }) => operation.endsWith("/purge"))).toHaveLength(4);
  });

  test("tells the workers that hold tasks, and the callers who wait, when it takes running ones", async () => {
    const { eco, queue, bulk } = aQueue();
    await queue.put(aTask({ task_id: "first" }));
    const worker = await openChannel(eco, "w");
    worker.send({ type: "ready", recipient: "coder", credit: 2 });
    const calling = post(`${queue.base}/calls`, { recipient: "coder", type: "ASK", payload: 1, timeout_ms: 30_000 });
    await expect.poll(async () => (await queue.status()).running, patience).toBe(2);
    // A call that was handed out a moment ago is stored with the next write.
    await expect
      .poll(async () => (await bulk("purge", { filter: { status: "running" }, dry_run: true })).body.matched, patience)
      .toBe(2);
    expect((await bulk("purge", { filter: { status: "running" } })).body).toMatchObject({ done: 2 });
    const ended = [await worker.next("cancel"), await worker.next("cancel")];
    expect(ended.flatMap(({ tasks }) => tasks)).toHaveLength(2);
    expect((await calling).status).toBe(409);
  });

  test("takes finished tasks, where the filter names how they ended", async () => {
    const { queue, bulk, fail, list } = aQueue();
    await fail("f1");
    await fail("f2", { type: "TEST" });
    expect(await list("status=failed")).toEqual(["f2", "f1"]);
    expect((await bulk("purge", { filter: { status: "failed", type: "TEST" } })).body).toMatchObject({ done: 1 });
    expect(await list("status=failed")).toEqual(["f1"]);
    expect(await idsOf(queue.get("/finished?state=failed"))).toEqual(["f1"]);
  });

  test("goes on by itself after a crash between two steps, and ends with one signal", async () => {
    const { eco, queue, list } = aQueue();
    await queue.put([aTask({ task_id: "a" }), aTask({ task_id: "b" }), aTask({ task_id: "late" })]);
    const job = { id: "j", action: "purge", by: "somebody", filter: {}, startedMs: Date.now(), done: 5, afterSeq: 1 };
    await runInDurableObject(queueStub(eco), (_, { storage: { sql } }) => {
      const stored = JSON.stringify({ ...job, untilSeq: 3, afterPlace: null });
      sql.exec("INSERT INTO notes VALUES ('bulk', ?)", stored);
    });
    expect(await queue.status()).toMatchObject({ bulk: { action: "purge", by: "somebody", done: 5, running: true } });
    expect((await problemOf(await post(`${queue.base}/purge`, {}))).detail).toContain("A purge by somebody runs");
    await evictDurableObject(queueStub(eco));
    await queue.status();
    await runDurableObjectAlarm(queueStub(eco));
    await expect.poll(async () => (await queue.status()).bulk, patience).toBeNull();
    expect(await list("")).toEqual(["a", "late"]);
    const told = async () => (await allOf(eco)).filter(({ signal }) => signal === "Q_QUEUE_BULK");
    await expect.poll(async () => (await told()).map(({ facts }) => facts), patience).toMatchObject([{ done: 6 }]);
  });

  test("is for administrators, and refuses a filter that nothing could match", async () => {
    const { queue } = aQueue();
    await queue.put(aTask());
    const { errors } = await problemOf(await post(`${queue.base}/purge`, { filter: { state: "queued" } }));
    expect(errors).toMatchObject([{ pointer: "/filter/state" }]);
    const wrong = await problemOf(await post(`${queue.base}/retry`, { filter: { status: "queued" } }));
    expect(wrong.errors).toMatchObject([{ pointer: "/filter/status", message: expect.stringContaining("failed") }]);
  });
});

describe("cancelling and retrying by a filter", () => {
  test("changes all tasks that match, in several steps", async () => {
    const { queue, bulk, list } = aQueue();
    await queue.configure({ alert_depth: null });
    await queue.put(Array.from({ length: 1_000 }, (_, n) => aTask({ task_id: `t${n}` })));
    await queue.put(Array.from({ length: 200 }, (_, n) => aTask({ task_id: `u${n}` })));
    await queue.put(aTask({ task_id: "other", recipient: "tester" }));
    expect((await bulk("cancel", { filter: { recipient: "coder" } })).body).toMatchObject({
      matched: 1_200,
      done: 1_200,
    });
    expect(await list("")).toEqual(["other"]);
    expect(await queue.task("t7")).toMatchObject({ outcome: "cancelled", error: "cancelled by ADMIN_TOKEN" });
    expect((await bulk("retry", { filter: { status: "cancelled" } })).body).toMatchObject({
      matched: 1_200,
      done: 1_200,
    });
    expect(await queue.status()).toMatchObject({ depth: 1_201 });
  });

  test("retries what failed, and stops where the queue is full", async () => {
    const { queue, bulk, fail } = aQueue();
    for (const id of ["f1", "f2", "f3"]) await fail(id);
    await queue.configure({ capacity: 2 });
    expect((await bulk("retry")).body).toMatchObject({ matched: 3, done: 2, stopped: "the queue is full" });
  });
});

describe("listing tasks", () => {
  test("finds those of a status, a recipient and a type, a page at a time", async () => {
    const { queue, list } = aQueue();
    await queue.put([
      aTask({ task_id: "a", priority: 1 }),
      aTask({ task_id: "b" }),
      aTask({ task_id: "c", type: "TEST" }),
      aTask({ task_id: "d", recipient: "tester" }),
    ]);
    await queue.lease("coder");
    expect(await list("status=running")).toEqual(["a"]);
    expect(await list("status=queued&recipient=coder")).toEqual(["b", "c"]);
    expect(await list("type=TEST")).toEqual(["c"]);
    const first = await (await queue.get("/tasks?status=queued&limit=2")).json<{ next: number }>();
    expect(await list(`status=queued&limit=2&after=${first.next}`)).toEqual(["d"]);
    expect((await queue.get("/tasks?status=failed&after=3")).status).toBe(422);
    expect((await queue.get("/tasks?status=lost")).status).toBe(422);
  });
});

describe("queueing many tasks", () => {
  const lines = (queue: ReturnType<typeof queueOver>, body: string) =>
    answerOf(post(`${queue.base}/tasks/bulk`, body, { headers: { "Content-Type": "application/x-ndjson" } }));

  test("takes or refuses each line by itself, and an id once", async () => {
    const { queue, list } = aQueue();
    const body = [
      JSON.stringify(aTask({ task_id: "a" })),
      JSON.stringify(aTask({ task_id: "a" })),
      "{broken",
      JSON.stringify({ recipient: "coder", task_id: "wrong", kind: "T" }),
      JSON.stringify(aTask({ task_id: "b" })),
    ].join("\n");
    const { status, body: answer } = await lines(queue, body);
    expect([status, answer]).toMatchObject([
      200,
      {
        queued: 2,
        known: 1,
        refused: 2,
        results: [
          { index: 0, task_id: "a", status: "queued" },
          { index: 1, task_id: "a", status: "known" },
          { index: 2, status: "refused", error: expect.stringContaining("no JSON") },
          { index: 3, task_id: "wrong", status: "refused", error: expect.stringContaining("/type") },
          { index: 4, task_id: "b", status: "queued" },
        ],
      },
    ]);
    expect((await lines(queue, body)).body).toMatchObject({ queued: 0, known: 3, refused: 2 });
    expect(await list("")).toEqual(["a", "b"]);
  });

  test("takes an array, as far as there is room", async () => {
    const { queue } = aQueue();
    await queue.configure({ capacity: 1_500 });
    const tasks = Array.from({ length: 1_600 }, (_, n) => aTask({ task_id: `t${n}`, payload: null }));
    const { body } = await answerOf(post(`${queue.base}/tasks/bulk`, tasks));
    expect(body).toMatchObject({ queued: 1_500, refused: 100 });
    expect((body.results as object[]).at(-1)).toEqual({
      index: 1_599,
      task_id: "t1599",
      status: "refused",
      error: "the queue is full",
      retry: true,
    });
  });

  test.each([
    ["one task", aTask(), 422],
    ["no task", [], 422],
    ["too many", Array.from({ length: 10_001 }, () => 1), 413],
  ])("refuses %s", async (_, body, status) => {
    const { queue } = aQueue();
    expect((await post(`${queue.base}/tasks/bulk`, body)).status).toBe(status);
  });
});

describe("creating a queue", () => {
  test("makes it before its first task, with settings, and keeps one that exists", async () => {
    const { eco, queue } = aQueue();
    const put = (body: object) => answerOf(post(queue.base, body, { method: "PUT" }));
    expect(await put({ capacity: 7 })).toMatchObject({
      status: 201,
      body: { name: "work", created: true, settings: { capacity: 7, max_attempts: 5 } },
    });
    await queue.put(aTask({ task_id: "a" }));
    expect(await put({ max_attempts: 2 })).toMatchObject({
      status: 200,
      body: { created: false, settings: { capacity: 7, max_attempts: 2 } },
    });
    expect((await call(queueOver(eco, "bare").base, { method: "PUT" })).status).toBe(201);
    expect(await queue.status()).toMatchObject({ depth: 1 });
  });

  test("is not done by a mistyped name, for which the names that are like it are given", async () => {
    const { eco } = aQueue();
    await queueOver(eco, "reviews").put(aTask());
    for (const [method, path] of [
      ["GET", ""],
      ["POST", "/pause"],
      ["POST", "/resume"],
      ["POST", "/purge"],
      ["POST", "/cancel"],
    ] as const) {
      const answer = await problemOf(await call(`/v1/${eco}/queues/reveiws${path}`, { method }));
      expect(answer).toMatchObject({
        status: 404,
        near: ["reviews"],
        detail: expect.stringContaining("mean reviews?"),
      });
    }
    const { queues } = await (await call(`/v1/${eco}/queues`)).json<{ queues: { name: string }[] }>();
    expect(queues.map(({ name }) => name)).toEqual(["reviews"]);
  });
});
