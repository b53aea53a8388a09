import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { describe, expect, it, vi } from "vitest";
import { UNWRITTEN_MS } from "../../../src/durable-objects/queue/task-store.ts";
import { call, freshEcosystem, post, problemOf } from "../api/calls.ts";
import { patience } from "../patience.ts";
import { aTask, openChannel, queueOver, queueStub } from "./queue-under-test.ts";

const ids = (frame: { tasks?: { task_id: string }[] }) => frame.tasks?.map(({ task_id }) => task_id);

const inStorage = <Result>(ecosystem: string, look: (sql: SqlStorage) => Result) =>
  runInDurableObject(queueStub(ecosystem), (_, { storage }) => look(storage.sql));
const storedTasks = (ecosystem: string) =>
  inStorage(ecosystem, (sql) => sql.exec<{ n: number }>("SELECT count(*) AS n FROM tasks").one().n);

describe("a worker's channel", () => {
  it("sends tasks as they are queued, as many as the worker has credit for", async () => {
    const ecosystem = freshEcosystem();
    const worker = await openChannel(ecosystem);
    worker.send({ type: "ready", recipient: "coder", credit: 2 });
    worker.send({ type: "enqueue", batch: 7, tasks: ["a", "b", "c"].map((task_id) => aTask({ task_id })) });
    expect(await worker.next("enqueued")).toMatchObject({
      batch: 7,
      tasks: [{ task_id: "a" }, { task_id: "b" }, { task_id: "c" }],
    });
    const given = await worker.next("tasks");
    expect(ids(given)).toEqual(["a", "b"]);
    expect(given.tasks?.[0]).toMatchObject({ payload: { n: 1 }, attempt: 1, lease_expires_at: expect.any(String) });
    worker.send({ type: "complete", tasks: [{ task_id: "a", lease_id: given.tasks?.[0]?.lease_id, result: 1 }] });
    expect((await worker.next("done")).tasks).toMatchObject([{ task_id: "a", status: "complete" }]);
    expect(ids(await worker.next("tasks"))).toEqual(["c"]);
  });

  it("extends, releases and fails tasks whose lease is held, and reports a conflict for others", async () => {
    const ecosystem = freshEcosystem();
    const worker = await openChannel(ecosystem);
    await queueOver(ecosystem).put([aTask({ task_id: "a" }), aTask({ task_id: "b" })]);
    worker.send({ type: "ready", recipient: "coder", credit: 2 });
    const [a, b] = (await worker.next("tasks")).tasks ?? [];
    worker.send({
      type: "extend",
      tasks: [
        { task_id: "a", lease_id: a?.lease_id, lease_ms: 60_000 },
        { task_id: "b", lease_id: "9.9", lease_ms: 60_000 },
      ],
    });
    expect((await worker.next("done")).tasks).toMatchObject([
      { task_id: "a", status: "running", lease_expires_at: expect.any(String) },
    ]);
    expect((await worker.next("conflict")).tasks).toEqual([{ task_id: "b", lease_id: "9.9", reason: "lost" }]);
    worker.send({ type: "ready", recipient: "coder", credit: 0 });
    worker.send({ type: "release", tasks: [{ task_id: "b", lease_id: b?.lease_id }] });
    expect((await worker.next("done")).tasks).toMatchObject([{ task_id: "b", status: "queued" }]);
    worker.send({ type: "fail", tasks: [{ task_id: "a", lease_id: a?.lease_id, error: "no", retry: false }] });
    expect((await worker.next("done")).tasks).toMatchObject([{ task_id: "a", status: "failed" }]);
    expect(await queueOver(ecosystem).lease("coder")).toMatchObject([{ task_id: "b", attempt: 1 }]);
  });

  it("writes no row for renewals of a lease after the first, and the lease goes on when the queue starts anew", async () => {
    const ecosystem = freshEcosystem();
    const worker = await openChannel(ecosystem);
    await queueOver(ecosystem).put(aTask({ task_id: "a" }));
    worker.send({ type: "ready", recipient: "coder", credit: 1, lease_ms: 30_000 });
    const [a] = (await worker.next("tasks")).tasks ?? [];
    const renew = async () => {
      worker.send({ type: "extend", tasks: [{ task_id: "a", lease_id: a?.lease_id, lease_ms: 30_000 }] });
      return (await worker.next("done")).tasks?.[0]?.lease_expires_at ?? "";
    };
    const written = () => inStorage(ecosystem, (sql) => sql.exec<{ n: number }>("SELECT total_changes() AS n").one().n);
    await renew();
    const before = await written();
    for (let renewal = 0; renewal < 50; renewal++) expect(Date.parse(await renew())).toBeGreaterThan(Date.now());
    // One row may hold what was used so far.
    expect((await written()) - before).toBeLessThanOrEqual(1);
    await evictDurableObject(queueStub(ecosystem));
    expect(Date.parse(await renew())).toBeGreaterThan(Date.now());
    worker.send({ type: "complete", tasks: [{ task_id: "a", lease_id: a?.lease_id, result: 1 }] });
    expect((await worker.next("done")).tasks).toMatchObject([{ task_id: "a", status: "complete" }]);
  });

  it("keeps its room for tasks when results in the same message are too large to be read, each refused by its name", async () => {
    const ecosystem = freshEcosystem();
    const queue = queueOver(ecosystem);
    const worker = await openChannel(ecosystem);
    const names = Array.from({ length: 20 }, (_, place) => `t${place}`);
    await queue.put(names.map((task_id) => aTask({ task_id })));
    worker.send({ type: "ready", recipient: "coder", credit: 20 });
    const leased = (await worker.next("tasks")).tasks ?? [];
    const results = leased.map(({ task_id, lease_id }) => ({
      type: "complete",
      tasks: [{ task_id, lease_id, result: "x".repeat(60_000) }],
    }));
    worker.send([...results, { type: "ready", recipient: "coder", credit: 21 }]);
    for (const { task_id, lease_id } of leased)
      expect(await worker.next("refused")).toMatchObject({
        frame: "complete",
        tasks: [{ task_id, lease_id }],
        problem: { status: 413 },
      });
    await queue.put(aTask({ task_id: "next" }));
    expect(ids(await worker.next("tasks"))).toEqual(["next"]);
  });

  it("names the frame that it refuses, and takes the frames beside it", async () => {
    const ecosystem = freshEcosystem();
    const queue = queueOver(ecosystem);
    const worker = await openChannel(ecosystem);
    await queue.put(aTask({ task_id: "a" }));
    worker.send([
      { type: "complete", tasks: [{ task_id: "x", lease_id: "9.9" }, { task_id: 7 }] },
      { type: "ready", recipient: "coder", credit: 1.5 },
      { type: "ready", recipient: "coder", credit: 1 },
    ]);
    expect(await worker.next("refused")).toMatchObject({
      frame: "complete",
      tasks: [{ task_id: "x", lease_id: "9.9" }],
      problem: { status: 422 },
    });
    expect(await worker.next("refused")).toMatchObject({ frame: "ready", recipient: "coder" });
    expect(ids(await worker.next("tasks"))).toEqual(["a"]);
  });

  it("is sent eight mebibytes of tasks at most before it answers one of them", async () => {
    const ecosystem = freshEcosystem();
    const queue = queueOver(ecosystem);
    const worker = await openChannel(ecosystem);
    worker.send({ type: "ready", recipient: "coder", credit: 1_000, lease_ms: 3_600_000 });
    for (let n = 0; n < 10; n++)
      await queue.put(Array.from({ length: 16 }, () => aTask({ payload: "x".repeat(60_000) })));
    worker.send({ type: "no such frame" });
    await worker.next("refused");
    const given = () => worker.messages.flat().flatMap(({ type, tasks }) => (type === "tasks" ? (tasks ?? []) : []));
    expect(given().length).toBe(140);
    const [first] = given();
    worker.send({ type: "extend", tasks: [{ task_id: first?.task_id, lease_id: first?.lease_id, lease_ms: 60_000 }] });
    await vi.waitFor(() => expect(given().length).toBe(160), patience);
  });

  it("says how large a result is that can never be kept, and fails its task at once", async () => {
    const ecosystem = freshEcosystem();
    const queue = queueOver(ecosystem);
    const worker = await openChannel(ecosystem);
    await queue.put(aTask({ task_id: "a" }));
    worker.send({ type: "ready", recipient: "coder", credit: 1 });
    const lease_id = (await worker.next("tasks")).tasks?.[0]?.lease_id;
    worker.send({ type: "complete", tasks: [{ task_id: "a", lease_id, result: "x".repeat(70_000) }] });
    expect((await worker.next("done")).tasks).toMatchObject([{ task_id: "a", status: "failed" }]);
    expect(await queue.task("a")).toMatchObject({
      attempt: 1,
      error: expect.stringContaining("result too large: 70002 bytes of 65536"),
    });
  });

  it("refuses a recipient for which its hibernating socket has no place, and keeps the others over hibernation", async () => {
    const ecosystem = freshEcosystem();
    const queue = queueOver(ecosystem);
    await queue.configure({});
    const worker = await openChannel(ecosystem);
    const names = Array.from({ length: 60 }, (_, place) => `r${place}-${"x".repeat(250)}`);
    worker.send(names.map((recipient) => ({ type: "ready", recipient, credit: 1 })));
    expect(await worker.next("refused")).toMatchObject({
      frame: "ready",
      recipient: expect.stringMatching(/^r3\d-/),
      problem: { status: 422, title: "The channel takes tasks for too many recipients" },
    });
    const [first = "", second = ""] = names;
    // A recipient that is given up makes place for another one.
    worker.send({ type: "ready", recipient: second, credit: 0 });
    const late = `late-${"x".repeat(248)}`;
    worker.send({ type: "ready", recipient: late, credit: 1 });
    worker.send({ type: "no such frame" });
    await vi.waitFor(() => expect(worker.waiting.map(({ frame }) => frame)).toContain("no such frame"), patience);
    await evictDurableObject(queueStub(ecosystem));
    await queue.put([first, second, late].map((recipient) => aTask({ recipient, task_id: recipient.slice(0, 4) })));
    expect(ids(await worker.next("tasks"))?.toSorted()).toEqual(["late", first.slice(0, 4)]);
  });

  it("shares the tasks of a recipient evenly among its workers", async () => {
    const ecosystem = freshEcosystem();
    const workers = [
      await openChannel(ecosystem, "w1"),
      await openChannel(ecosystem, "w2"),
      await openChannel(ecosystem, "w3"),
    ];
    for (const worker of workers) await worker.ready("coder", 100);
    await queueOver(ecosystem).put(Array.from({ length: 31 }, () => aTask({ recipient: "*" })));
    const counts = await Promise.all(workers.map(async (worker) => (await worker.next("tasks")).tasks?.length));
    expect(counts.toSorted()).toEqual([10, 10, 11]);
  });

  it("releases the tasks of a worker that closes normally, and lets the leases of a lost worker expire", async () => {
    const ecosystem = freshEcosystem();
    const queue = queueOver(ecosystem);
    const [polite, rude] = [await openChannel(ecosystem, "polite"), await openChannel(ecosystem, "rude")];
    for (const worker of [polite, rude]) await worker.ready("coder", 1);
    await queue.put([aTask({ task_id: "a" }), aTask({ task_id: "b" })]);
    await Promise.all([polite.next("tasks"), rude.next("tasks")]);
    rude.socket.close(3_000);
    polite.socket.close(1_000);
    const [back] = await queue.lease("coder", { wait_ms: 10_000 });
    expect(back).toMatchObject({ task_id: "a", attempt: 1 });
    expect(await queue.status()).toMatchObject({ depth: 0, running: 2 });
  });

  it("keeps credit, leases and waiting calls across an eviction", async () => {
    const ecosystem = freshEcosystem();
    const worker = await openChannel(ecosystem, "w1");
    const caller = await openChannel(ecosystem, "caller");
    worker.send({ type: "ready", recipient: "coder", credit: 2 });
    caller.send({ type: "call", correlation_id: "q1", recipient: "coder", task_type: "ASK", payload: { q: 1 } });
    const [asked] = (await worker.next("tasks")).tasks ?? [];
    expect(asked?.correlation_id).toBe("q1");
    await vi.waitFor(async () => expect(await storedTasks(ecosystem)).toBe(1), patience);
    await evictDurableObject(queueStub(ecosystem));
    await queueOver(ecosystem).put([aTask({ task_id: "a" }), aTask({ task_id: "b" })]);
    expect(ids(await worker.next("tasks"))).toEqual(["a"]);
    worker.send({ type: "complete", tasks: [{ task_id: "q1", lease_id: asked?.lease_id, result: { answer: 42 } }] });
    expect(await caller.next("reply")).toMatchObject({ correlation_id: "q1", result: { answer: 42 }, responder: "w1" });
    expect(ids(await worker.next("tasks"))).toEqual(["b"]);
  });

  it("notifies a worker that its task was cancelled", async () => {
    const ecosystem = freshEcosystem();
    const worker = await openChannel(ecosystem);
    worker.send({ type: "ready", recipient: "coder", credit: 1 });
    await queueOver(ecosystem).put(aTask({ task_id: "a" }));
    await worker.next("tasks");
    await queueOver(ecosystem).act("a", "cancel");
    expect((await worker.next("cancel")).tasks).toMatchObject([{ task_id: "a", reason: "cancelled" }]);
  });

  it("refuses an invalid frame as a whole, with a problem that names the error", async () => {
    const ecosystem = freshEcosystem();
    const channel = await openChannel(ecosystem);
    const refusal = async (send: () => void) => {
      send();
      return (await channel.next("refused")).problem;
    };
    expect(await refusal(() => channel.socket.send("{"))).toMatchObject({ status: 400 });
    expect(await refusal(() => channel.send({ type: "dance" }))).toMatchObject({ status: 422 });
    expect(await refusal(() => channel.socket.send(new Uint8Array(4)))).toMatchObject({ status: 415 });
    expect(await refusal(() => channel.socket.send(`"${"x".repeat(1_100_000)}"`))).toMatchObject({ status: 413 });
    expect(
      await refusal(() => channel.send({ type: "enqueue", batch: 1, tasks: [aTask(), aTask({ priority: 11 })] })),
    ).toMatchObject({ status: 422, errors: [{ pointer: "/tasks/1/priority" }] });
    await queueOver(ecosystem).configure({ capacity: 1 });
    expect(await refusal(() => channel.send({ type: "enqueue", batch: 1, tasks: [aTask(), aTask()] }))).toMatchObject({
      status: 429,
      type: "/problems/queue-full",
    });
  });

  it("accepts several frames in a message, in order, and then also sends several in one", async () => {
    const ecosystem = freshEcosystem();
    const channel = await openChannel(ecosystem);
    channel.send([
      { type: "enqueue", batch: 1, tasks: [aTask({ task_id: "a" })] },
      { type: "dance" },
      { type: "ready", recipient: "coder", credit: 2 },
      { type: "call", correlation_id: "q", recipient: "coder", task_type: "ASK", payload: 1 },
    ]);
    expect((await channel.next("refused")).problem).toMatchObject({ status: 422 });
    expect((await channel.next("enqueued")).tasks).toMatchObject([{ task_id: "a", status: "queued" }]);
    expect(ids(await channel.next("tasks"))).toEqual(["a", "q"]);
    expect(channel.messages.some((message) => Array.isArray(message))).toBe(true);
  });

  it("requires its subprotocol and the scope tasks:work, and tasks:write for tasks and calls", async () => {
    const ecosystem = freshEcosystem();
    const path = `/v1/${ecosystem}/queues/work/work`;
    expect((await problemOf(await call(path))).status).toBe(426);
    expect((await problemOf(await call(path, { headers: { Upgrade: "websocket" } }))).status).toBe(400);
    const make = async (scopes: string[]) => {
      const response = await post("/v1/tokens", { name: "t", scopes, ecosystems: [ecosystem] });
      return ((await response.json()) as { token: string }).token;
    };
    expect(
      (await problemOf(await call(path, { token: await make(["tasks:write"]), headers: { Upgrade: "websocket" } })))
        .status,
    ).toBe(403);
    const worker = await openChannel(ecosystem, "w", "work", await make(["tasks:work"]));
    worker.send({ type: "enqueue", batch: 1, tasks: [aTask()] });
    expect((await worker.next("refused")).problem).toMatchObject({ status: 403 });
    worker.send({ type: "call", correlation_id: "c", recipient: "coder", task_type: "ASK", payload: 1 });
    expect((await worker.next("reply")).problem).toMatchObject({ status: 403 });
  });
});

describe("calls", () => {
  it("are answered over HTTP, with the responder and the duration", async () => {
    const ecosystem = freshEcosystem();
    const worker = await openChannel(ecosystem, "gpu-01");
    worker.send({ type: "ready", recipient: "coder", credit: 4 });
    const asking = post(`${queueOver(ecosystem).base}/calls`, { recipient: "coder", type: "ASK", payload: { q: 1 } });
    const [asked] = (await worker.next("tasks")).tasks ?? [];
    worker.send({ type: "complete", tasks: [{ task_id: asked?.task_id, lease_id: asked?.lease_id, result: ["yes"] }] });
    const response = await asking;
    expect(response.status).toBe(200);
    expect(await response.json()).toEqual({
      correlation_id: asked?.correlation_id,
      result: ["yes"],
      responder: "gpu-01",
      duration_ms: expect.any(Number),
    });
  });

  it("fail with 502 when the responder fails, 504 at the time-out, 503 without a responder, and 429 when the queue is full", async () => {
    const ecosystem = freshEcosystem();
    const base = queueOver(ecosystem).base;
    const ask = async (more: object) =>
      problemOf(await post(`${base}/calls`, { recipient: "coder", type: "ASK", payload: null, ...more }));
    expect(await ask({ require_responder: true })).toMatchObject({ status: 503, type: "/problems/no-responder" });
    expect(await ask({ timeout_ms: 20, correlation_id: "late" })).toMatchObject({
      status: 504,
      type: "/problems/call-timed-out",
    });
    const worker = await openChannel(ecosystem);
    worker.send({ type: "ready", recipient: "coder", credit: 1 });
    const failing = ask({ require_responder: true });
    const [asked] = (await worker.next("tasks")).tasks ?? [];
    worker.send({
      type: "fail",
      tasks: [{ task_id: asked?.task_id, lease_id: asked?.lease_id, error: "no model", retry: false }],
    });
    expect(await failing).toMatchObject({ status: 502, type: "/problems/responder-failed", detail: "no model" });
    await queueOver(ecosystem).configure({ capacity: 1 });
    await queueOver(ecosystem).put(aTask({ recipient: "nobody" }));
    expect(await ask({})).toMatchObject({ status: 429 });
  });

  it("keep a late reply, which can be read by the correlation id", async () => {
    const ecosystem = freshEcosystem();
    const queue = queueOver(ecosystem);
    const worker = await openChannel(ecosystem);
    await worker.ready("coder", 1);
    const asking = post(`${queue.base}/calls`, {
      recipient: "coder",
      type: "ASK",
      payload: 1,
      timeout_ms: 500,
      correlation_id: "q1",
    });
    const [asked] = (await worker.next("tasks")).tasks ?? [];
    expect((await problemOf(await asking)).status).toBe(504);
    expect((await queue.get("/calls/q1")).status).toBe(202);
    worker.send({ type: "complete", tasks: [{ task_id: "q1", lease_id: asked?.lease_id, result: "late" }] });
    await worker.next("done");
    expect(await (await queue.get("/calls/q1")).json()).toMatchObject({ result: "late" });
    // The call is sent again under the same id: it does not run twice.
    const again = await post(`${queue.base}/calls`, {
      recipient: "coder",
      type: "ASK",
      payload: 1,
      correlation_id: "q1",
    });
    expect(await again.json()).toMatchObject({ result: "late" });
    expect((await problemOf(await queue.get("/calls/other"))).status).toBe(404);
  });

  it("that are answered at once cost one row; others are stored while the responder works on them", async () => {
    const ecosystem = freshEcosystem();
    const [worker, caller] = [await openChannel(ecosystem, "w"), await openChannel(ecosystem, "c")];
    worker.send({ type: "ready", recipient: "coder", credit: 10 });
    const ask = async (correlation_id: string) => {
      caller.send({ type: "call", correlation_id, recipient: "coder", task_type: "ASK", payload: 1 });
      return (await worker.next("tasks")).tasks?.[0]?.lease_id;
    };
    const answer = async (task_id: string, lease_id: string | undefined) => {
      worker.send({ type: "complete", tasks: [{ task_id, lease_id, result: 1 }] });
      await caller.next("reply");
    };
    await answer("first", await ask("first"));
    await vi.waitFor(async () => {
      const names = await inStorage(ecosystem, (sql) =>
        [...sql.exec<{ name: string }>("SELECT name FROM notes")].map(({ name }) => name),
      );
      expect(names).toContain("registered");
    }, patience);
    const rows = async () => (await queueStub(ecosystem).usage()).rows_written;
    const before = await rows();
    let slow = 0;
    for (let n = 0; n < 20; n++) {
      const askedMs = Date.now();
      await answer(`q${n}`, await ask(`q${n}`));
      if (Date.now() - askedMs >= UNWRITTEN_MS) slow++;
    }
    // One each, and three more for those that may have been stored by the clock because the machine was slow.
    expect((await rows()) - before).toBeLessThanOrEqual(20 + 3 * slow);
    const lease = await ask("long");
    await vi.waitFor(async () => expect(await storedTasks(ecosystem)).toBe(1), patience);
    await evictDurableObject(queueStub(ecosystem));
    await answer("long", lease);
    expect(await storedTasks(ecosystem)).toBe(0);
  });

  it("that were only in memory when a write failed are refused, and can be sent again", async () => {
    const ecosystem = freshEcosystem();
    const [worker, caller] = [await openChannel(ecosystem, "w"), await openChannel(ecosystem, "c")];
    worker.send({ type: "ready", recipient: "coder", credit: 1 });
    await queueOver(ecosystem).put(aTask({ recipient: "nobody" }));
    await inStorage(ecosystem, (sql) =>
      sql.exec("CREATE TRIGGER full BEFORE INSERT ON tasks BEGIN SELECT RAISE(ABORT, 'the disk is full'); END"),
    );
    caller.send({ type: "call", correlation_id: "q", recipient: "coder", task_type: "ASK", payload: 1 });
    await worker.next("tasks");
    // The responder works on the call when its row is to be written.
    expect((await caller.next("reply")).problem).toMatchObject({ status: 503, type: "/problems/overloaded" });
    await inStorage(ecosystem, (sql) => sql.exec("DROP TRIGGER full"));
    caller.send({ type: "call", correlation_id: "q", recipient: "coder", task_type: "ASK", payload: 1 });
    const [again] = (await worker.next("tasks")).tasks ?? [];
    worker.send({ type: "complete", tasks: [{ task_id: "q", lease_id: again?.lease_id, result: "yes" }] });
    expect(await caller.next("reply")).toMatchObject({ result: "yes" });
  });

  it("that are cancelled are cancelled at their responder, too", async () => {
    const ecosystem = freshEcosystem();
    const [worker, caller] = [await openChannel(ecosystem, "w"), await openChannel(ecosystem, "c")];
    worker.send({ type: "ready", recipient: "coder", credit: 1 });
    caller.send({ type: "call", correlation_id: "q1", recipient: "coder", task_type: "ASK", payload: 1 });
    await worker.next("tasks");
    caller.send({ type: "cancel", correlation_id: "q1" });
    expect((await worker.next("cancel")).tasks).toMatchObject([{ task_id: "q1" }]);
    expect((await caller.next("reply")).problem).toMatchObject({ type: "/problems/call-cancelled" });
  });

  it("get only their own reply when thousands are interleaved, with failures, repeats and late replies", async () => {
    const ecosystem = freshEcosystem();
    const callers = [
      await openChannel(ecosystem, "c1"),
      await openChannel(ecosystem, "c2"),
      await openChannel(ecosystem, "c3"),
    ];
    const workers = [await openChannel(ecosystem, "w1"), await openChannel(ecosystem, "w2")];
    await queueOver(ecosystem).configure({ backoff_ms: 1, backoff_max_ms: 1 });
    let seed = 7;
    const random = (below: number) => {
      seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31;
      return seed % below;
    };
    for (const worker of workers) {
      const held: { task_id: string; lease_id: string; payload: { secret: string }; attempt: number }[] = [];
      worker.socket.addEventListener("message", ({ data }) => {
        const frame = JSON.parse(String(data)) as { type: string; tasks: typeof held };
        if (frame.type !== "tasks") return;
        held.push(...frame.tasks);
        while (held.length > 0) {
          const [task] = held.splice(random(held.length), 1);
          if (task === undefined) return;
          const { task_id, lease_id, payload, attempt } = task;
          const names = { task_id, lease_id };
          // A fifth of the first attempts fails and is retried, by any worker.
          if (attempt === 1 && random(5) === 0) worker.send({ type: "fail", tasks: [{ ...names, error: "again" }] });
          else worker.send({ type: "complete", tasks: [{ ...names, result: { echo: payload.secret, of: task_id } }] });
          // Some replies are sent twice, or again after another worker got the task.
          if (random(4) === 0)
            worker.send({ type: "complete", tasks: [{ ...names, result: { echo: "stale", of: task_id } }] });
        }
      });
      worker.send({ type: "ready", recipient: "coder", credit: 50 });
    }
    const replies = callers.map(() => new Map<string, unknown[]>());
    callers.forEach((caller, place) => {
      caller.socket.addEventListener("message", ({ data }) => {
        const frame = JSON.parse(String(data)) as { type: string; correlation_id: string; result: unknown };
        if (frame.type !== "reply") return;
        const known = replies[place]?.get(frame.correlation_id) ?? [];
        replies[place]?.set(frame.correlation_id, [...known, frame.result]);
      });
    });
    const CALLS = 1_000;
    callers.forEach((caller, place) => {
      for (let n = 0; n < CALLS; n++) {
        const frame = {
          type: "call",
          correlation_id: `c${place}-${n}`,
          recipient: "coder",
          task_type: "ASK",
          payload: { secret: `s${place}-${n}` },
          timeout_ms: 60_000,
          max_attempts: 5,
        };
        caller.send(frame);
        if (n % 10 === 0) caller.send(frame); // a caller that is not sure sends again
      }
    });
    await vi.waitFor(() => expect(replies.map((map) => map.size)).toEqual([CALLS, CALLS, CALLS]), {
      timeout: 150_000,
      interval: 50,
    });
    replies.forEach((map, place) => {
      for (let n = 0; n < CALLS; n++) {
        for (const result of map.get(`c${place}-${n}`) ?? [])
          expect(result).toEqual({ echo: `s${place}-${n}`, of: `c${place}-${n}` });
      }
    });
  }, 180_000);
});
