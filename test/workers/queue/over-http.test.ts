import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { describe, expect, it, vi } from "vitest";
import { call, freshEcosystem, post, problemOf } from "../api/calls.ts";
import { patience } from "../patience.ts";
import { aTask, queueOver, queueStub } from "./queue-under-test.ts";

describe("tasks over HTTP", () => {
  it("go from queued through running to complete, and can be read with their history and result", async () => {
    const queue = queueOver(freshEcosystem());
    const response = await queue.put([aTask({ task_id: "a", sender: "planner" }), aTask({ priority: 1 })]);
    expect(response.status).toBe(202);
    const { tasks } = (await response.json()) as { tasks: { task_id: string; status: string }[] };
    expect(tasks).toEqual([
      { task_id: "a", status: "queued" },
      { task_id: expect.stringMatching(/^t2\./), status: "queued" },
    ]);
    const leased = await queue.lease("coder", { max: 5 });
    expect(leased.map(({ task_id }) => task_id)).toEqual([tasks[1]?.task_id, "a"]);
    expect(leased[1]).toMatchObject({
      type: "TASK_DELEGATE",
      payload: { n: 1 },
      attempt: 1,
      sender: "planner",
      priority: 5,
    });
    expect(await queue.task("a")).toMatchObject({ status: "running", worker: "coder" });
    const done = await queue.act("a", "complete", { lease_id: leased[1]?.lease_id, result: { lines: 12 } });
    expect([done.status, await done.json()]).toEqual([200, { task_id: "a", status: "complete" }]);
    const task = await queue.task("a");
    expect(task).toMatchObject({ status: "complete", payload: { n: 1 }, result: { lines: 12 }, outcome: "complete" });
    expect((task.history as { event: string }[]).map(({ event }) => event)).toEqual(["queued", "leased", "complete"]);
    expect(await queue.status()).toMatchObject({
      depth: 0,
      running: 1,
      by_recipient: { coder: { queued: 0, running: 1, complete: 1, failed: 0 } },
    });
  });

  it("are not queued again under a known id, also after they have finished", async () => {
    const queue = queueOver(freshEcosystem());
    await queue.put(aTask({ task_id: "a" }));
    await queue.put([aTask({ task_id: "a" }), aTask({ task_id: "b" }), aTask({ task_id: "b" })]);
    expect((await queue.status()).depth).toBe(2);
    const [leased] = await queue.lease("coder");
    await queue.act("a", "complete", { lease_id: leased?.lease_id });
    const again = await queue.put(aTask({ task_id: "a" }));
    expect(await again.json()).toEqual({ tasks: [{ task_id: "a", status: "complete", known: true }] });
    expect((await queue.status()).depth).toBe(1);
  });

  it("are given to a lease request that waits for one", async () => {
    const queue = queueOver(freshEcosystem());
    const waiting = queue.lease("coder", { wait_ms: 30_000 });
    await queue.put([aTask({ recipient: "tester" }), aTask({ recipient: "*", task_id: "any" })]);
    expect((await waiting).map(({ task_id }) => task_id)).toEqual(["any"]);
    expect(await queue.lease("coder", { wait_ms: 1 })).toEqual([]);
  });

  it("stay queued, leased and delayed across an eviction, and leases expire on time afterwards", async () => {
    const ecosystem = freshEcosystem();
    const queue = queueOver(ecosystem);
    await queue.put([
      aTask({ task_id: "held" }),
      aTask({ task_id: "queued" }),
      aTask({ task_id: "delayed", delay_ms: 1_200_000 }),
    ]);
    const [held] = await queue.lease("coder", { lease_ms: 600_000 });
    await evictDurableObject(queueStub(ecosystem));
    expect(await queue.status()).toMatchObject({ depth: 2, running: 1 });
    const others = await queue.lease("coder", { max: 9, lease_ms: 3_600_000 });
    expect(others.map(({ task_id, payload }) => [task_id, payload])).toEqual([["queued", { n: 1 }]]);
    vi.useFakeTimers({ toFake: ["Date"] });
    try {
      vi.setSystemTime(Date.now() + 600_000);
      await runDurableObjectAlarm(queueStub(ecosystem));
      expect((await problemOf(await queue.act("held", "complete", { lease_id: held?.lease_id }))).type).toBe(
        "/problems/lease-lost",
      );
      const [again] = await queue.lease("coder", { lease_ms: 3_600_000 });
      expect([again?.task_id, again?.attempt]).toEqual(["held", 2]);
      vi.setSystemTime(Date.now() + 600_000);
      expect((await queue.lease("coder", { max: 9 })).map(({ task_id }) => task_id)).toEqual(["delayed"]);
    } finally {
      vi.useRealTimers();
    }
  });

  it("are retried with a growing back-off, and end as a dead letter", async () => {
    const ecosystem = freshEcosystem();
    const queue = queueOver(ecosystem);
    await queue.put(aTask({ task_id: "a", max_attempts: 2 }));
    const [first] = await queue.lease("coder");
    expect(await (await queue.act("a", "fail", { lease_id: first?.lease_id, error: "no disk" })).json()).toMatchObject({
      status: "queued",
    });
    expect(await queue.task("a")).toMatchObject({ status: "queued", ready_at: expect.any(String) });
    vi.useFakeTimers({ toFake: ["Date"] });
    try {
      vi.setSystemTime(Date.now() + 1_000);
      const [second] = await queue.lease("coder");
      await queue.act("a", "fail", { lease_id: second?.lease_id, error: "still no disk" });
    } finally {
      vi.useRealTimers();
    }
    expect(await queue.task("a")).toMatchObject({ status: "failed", error: "still no disk", attempt: 2 });
    await vi.waitFor(async () => {
      const { dead_letters } = (await (await call(`/v1/${ecosystem}/dead-letters`)).json()) as {
        dead_letters: object[];
      };
      expect(dead_letters).toMatchObject([
        { kind: "task", error: "still no disk", task: { task_id: "a", payload: { n: 1 } } },
      ]);
    }, patience);
    expect(await (await queue.act("a", "retry")).json()).toEqual({ task_id: "a", status: "queued", was: "failed" });
    expect(await queue.lease("coder")).toMatchObject([{ task_id: "a", attempt: 1, payload: { n: 1 } }]);
  });

  it("that were cancelled say so when they are retried", async () => {
    const queue = queueOver(freshEcosystem());
    await queue.put(aTask({ task_id: "a" }));
    await queue.act("a", "cancel");
    expect(await (await queue.act("a", "retry")).json()).toEqual({ task_id: "a", status: "queued", was: "cancelled" });
  });

  it("cost five rows at most over their whole life", async () => {
    const ecosystem = freshEcosystem();
    const queue = queueOver(ecosystem);
    const life = async (id: string) => {
      await queue.put(aTask({ task_id: id }));
      const [leased] = await queue.lease("coder");
      await queue.act(id, "complete", { lease_id: leased?.lease_id, result: 1 });
    };
    await life("first");
    await vi.waitFor(
      async () =>
        expect(((await (await call(`/v1/${ecosystem}/queues`)).json()) as { queues: object[] }).queues).toHaveLength(1),
      patience,
    );
    const before = (await queueStub(ecosystem).usage()).rows_written;
    for (let n = 0; n < 50; n++) await life(`t${n}`);
    const perTask = ((await queueStub(ecosystem).usage()).rows_written - before) / 50;
    expect(perTask).toBeLessThanOrEqual(5);
    expect(perTask).toBeGreaterThanOrEqual(3);
  });

  it("are not read back from the disk behind a backlog whose payloads fill the memory", async () => {
    const ecosystem = freshEcosystem();
    const queue = queueOver(ecosystem);
    const payload = "x".repeat(60_000);
    const read = async () => (await queueStub(ecosystem).usage()).rows_read;
    const lives = async () => {
      const before = await read();
      for (let n = 0; n < 10; n++) {
        await queue.put(aTask({ payload }));
        const [leased] = await queue.lease("coder");
        await queue.act(String(leased?.task_id), "complete", { lease_id: leased?.lease_id, result: 1 });
      }
      return (await read()) - before;
    };
    await lives();
    const alone = await lives();
    // Ten requests of nearly a megabyte are more than the queue keeps in memory.
    const large = aTask({ recipient: "somebody-else", payload });
    for (let n = 0; n < 10; n++) expect((await queue.put(new Array(15).fill(large))).status).toBe(202);
    expect(await lives()).toBe(alone);
    const [first] = await queue.lease("somebody-else");
    expect(first?.payload === payload, "a payload that left the memory is whole").toBe(true);
  });

  it("show in the list of queues, in pages and in events", async () => {
    const ecosystem = freshEcosystem();
    await queueOver(ecosystem, "b").put([aTask(), aTask(), aTask()]);
    await queueOver(ecosystem, "a").put(aTask());
    await vi.waitFor(async () => {
      const { queues } = (await (await call(`/v1/${ecosystem}/queues`)).json()) as { queues: { name: string }[] };
      expect(queues.map(({ name }) => name)).toEqual(["a", "b"]);
    }, patience);
    const page = (await (await queueOver(ecosystem, "b").get("/tasks?limit=2")).json()) as {
      tasks: object[];
      next: number;
    };
    expect(page.tasks).toHaveLength(2);
    const rest = (await (await queueOver(ecosystem, "b").get(`/tasks?limit=2&after=${page.next}`)).json()) as {
      tasks: object[];
      next: null;
    };
    expect([rest.tasks.length, rest.next]).toEqual([1, null]);
    const { events } = (await (await queueOver(ecosystem, "b").get("/events?tail=2")).json()) as { events: object[] };
    expect(events).toMatchObject([{ event: "queued", recipient: "coder" }, { event: "queued" }]);
  });

  it("have their events streamed, from the last event that a reader received", async () => {
    const queue = queueOver(freshEcosystem());
    await queue.put([aTask({ task_id: "a" }), aTask({ task_id: "b" })]);
    const open = async (headers: Record<string, string> = {}) => {
      const response = await call(`${queue.base}/events?tail=1`, {
        headers: { Accept: "text/event-stream", ...headers },
      });
      expect(response.headers.get("content-type")).toBe("text/event-stream");
      const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
      let text = "";
      return {
        /** Reads on until `count` events are there. */
        async events(count: number) {
          for (;;) {
            const found = [...text.matchAll(/id: (\S+)\ndata: (.*)\n\n/g)].map(([, id = "", data = ""]) => ({
              id,
              ...(JSON.parse(data) as { task_id: string; event: string }),
            }));
            if (found.length >= count) return found;
            text += (await reader?.read())?.value ?? "";
          }
        },
        close: () => reader?.cancel(),
      };
    };
    const first = await open();
    expect(await first.events(1)).toMatchObject([{ task_id: "b", event: "queued" }]);
    const [leased] = await queue.lease("coder");
    await queue.act("a", "complete", { lease_id: leased?.lease_id });
    const events = await first.events(3);
    const priority = expect.any(Number);
    expect(events).toMatchObject([
      { task_id: "b", priority },
      { task_id: "a", event: "leased", priority },
      { event: "complete", priority, duration_ms: expect.any(Number) },
    ]);
    await first.close();
    const second = await open({ "Last-Event-ID": events[1]?.id ?? "" });
    expect(await second.events(1)).toMatchObject([{ id: events[2]?.id, task_id: "a", event: "complete" }]);
    await queue.put(aTask({ task_id: "c" }));
    expect(await second.events(2)).toMatchObject([{}, { task_id: "c", event: "queued" }]);
    await second.close();
    // An id of another life of the queue: everything that is known.
    const third = await open({ "Last-Event-ID": "00000000.7" });
    expect(await third.events(5)).toHaveLength(5);
    await third.close();
  });

  it("have their bottleneck summarised in a sentence", async () => {
    const queue = queueOver(freshEcosystem());
    await queue.put(aTask({ task_id: "a", type: "BUG_REPORT" }));
    const [leased] = await queue.lease("coder", { lease_ms: 3_600_000 });
    vi.useFakeTimers({ toFake: ["Date"] });
    try {
      vi.setSystemTime(Date.now() + 90_000);
      await queue.act("a", "complete", { lease_id: leased?.lease_id });
      const found = (await (await queue.get("/bottlenecks")).json()) as {
        summary: string;
        slowest: { ran_ms: number }[];
      };
      expect(found.summary).toMatch(
        /^coder, BUG_REPORT: 100 % of all time since \d\d:\d\d UTC, 100 % of it running \(p95 9\d{4} ms\)$/,
      );
      expect(found.slowest[0]?.ran_ms).toBeGreaterThanOrEqual(90_000);
      expect(await queue.status()).toMatchObject({ alerts: [{ rule: "task_slow", subject: "coder/BUG_REPORT" }] });
    } finally {
      vi.useRealTimers();
    }
  });
});

describe("refusals of a queue over HTTP", () => {
  it("422: a batch with invalid tasks is refused whole, with a pointer to each field", async () => {
    const queue = queueOver(freshEcosystem());
    const problem = await problemOf(
      await queue.put([
        aTask(),
        aTask({ priority: 0 }),
        { type: "X", recipient: "a b", colour: 1 },
        aTask({ payload: "x".repeat(70_000) }),
      ]),
    );
    expect(problem.status).toBe(422);
    expect(problem.errors?.map(({ pointer }) => pointer)).toEqual([
      "/1/priority",
      "/2/recipient",
      "/2/payload",
      "/2/colour",
      "/3/payload",
    ]);
    expect((await queue.get("")).status, "the queue was not made").toBe(404);
    for (const [path, body, pointer] of [
      ["lease", { recipient: "coder", max: 0 }, "/max"],
      ["lease", { recipient: "coder", wait_ms: 30_001 }, "/wait_ms"],
      ["tasks/a/complete", {}, "/lease_id"],
      ["tasks/a/fail", { lease_id: "1.1" }, "/error"],
      ["tasks/a/extend", { lease_id: "1.1", lease_ms: 1 }, "/lease_ms"],
      ["calls", { type: "X", recipient: "a", payload: {}, timeout_ms: 0 }, "/timeout_ms"],
    ] as const) {
      const { status, errors } = await problemOf(await post(`${queue.base}/${path}`, body));
      expect([path, status, errors?.[0]?.pointer]).toEqual([path, 422, pointer]);
    }
    expect((await problemOf(await queue.configure({ capacity: 0 }))).status).toBe(422);
    expect((await problemOf(await post("/v1/default/queues/-bad/tasks", aTask()))).status).toBe(422);
  });

  it("413: too many tasks, or too many bytes", async () => {
    const queue = queueOver(freshEcosystem());
    expect(await problemOf(await queue.put(Array.from({ length: 1_001 }, () => aTask())))).toMatchObject({
      status: 413,
      type: "/problems/too-large",
    });
    expect((await problemOf(await queue.put(aTask({ payload: "x".repeat(1_100_000) })))).status).toBe(413);
  });

  it("429: a full queue refuses tasks, or drops the oldest where overflow is drop_oldest", async () => {
    const queue = queueOver(freshEcosystem());
    expect((await queue.configure({ capacity: 2 })).status).toBe(200);
    await queue.put([aTask({ task_id: "a" }), aTask({ task_id: "b" })]);
    const refused = await queue.put(aTask({ task_id: "c" }));
    expect(refused.headers.get("retry-after")).toBe("1");
    expect(await problemOf(refused)).toMatchObject({ status: 429, type: "/problems/queue-full", capacity: 2 });
    expect((await queue.put(aTask({ task_id: "a" }))).status).toBe(202);
    await queue.configure({ overflow: "drop_oldest" });
    expect((await queue.put(aTask({ task_id: "c" }))).status).toBe(202);
    expect(await queue.task("a")).toMatchObject({ status: "failed", outcome: "dropped" });
    expect((await queue.status()).depth).toBe(2);
  });

  it("409: a lease that is no longer held, and a task that has ended", async () => {
    const queue = queueOver(freshEcosystem());
    await queue.put(aTask({ task_id: "a" }));
    const [leased] = await queue.lease("coder");
    for (const [action, body] of [
      ["complete", {}],
      ["fail", { error: "x" }],
      ["extend", {}],
      ["release", {}],
    ] as const) {
      const problem = await problemOf(await queue.act("a", action, { lease_id: "1.99", ...body }));
      expect([action, problem.status, problem.type]).toEqual([action, 409, "/problems/lease-lost"]);
    }
    expect((await problemOf(await queue.act("a", "retry"))).type).toBe("/problems/task-unfinished");
    const lease_id = leased?.lease_id;
    expect((await queue.act("a", "complete", { lease_id })).status).toBe(200);
    expect((await queue.act("a", "complete", { lease_id })).status).toBe(200); // sent again: the same answer
    for (const [action, body] of [
      ["cancel", {}],
      ["fail", { lease_id, error: "x" }],
      ["retry", {}],
    ] as const) {
      expect([action, (await problemOf(await queue.act("a", action, body))).type]).toEqual([
        action,
        "/problems/task-finished",
      ]);
    }
    expect((await problemOf(await queue.act("nothing", "cancel"))).status).toBe(404);
    expect((await problemOf(await queue.get("/tasks/nothing"))).status).toBe(404);
  });

  it("409, 413, 422, 429: calls, results and retries are refused likewise", async () => {
    const queue = queueOver(freshEcosystem());
    const ask = (more: object) => post(`${queue.base}/calls`, { recipient: "coder", type: "ASK", payload: 1, ...more });
    const asking = ask({ correlation_id: "q" });
    const [asked] = await queue.lease("coder", { wait_ms: 10_000 });
    await queue.act("q", "cancel");
    expect(await problemOf(await asking)).toMatchObject({ status: 409, type: "/problems/call-cancelled" });
    expect(await problemOf(await queue.get("/calls/q"))).toMatchObject({ status: 409, correlation_id: "q" });
    const late = { lease_id: asked?.lease_id };
    expect(await problemOf(await queue.act("q", "complete", late))).toMatchObject({ type: "/problems/task-finished" });

    const large = { lease_id: "1.1", result: "x".repeat(1_100_000) };
    for (const response of [await queue.act("q", "complete", large), await ask({ payload: "x".repeat(1_100_000) })]) {
      expect(await problemOf(response)).toMatchObject({ status: 413, type: "/problems/too-large" });
    }
    const kept = { lease_id: "1.1", result: "x".repeat(70_000) };
    for (const [response, pointer] of [
      [await queue.act("q", "complete", kept), "/result"],
      [await ask({ payload: "x".repeat(70_000) }), "/payload"],
    ] as const) {
      expect(await problemOf(response)).toMatchObject({ status: 422, errors: [{ pointer }] });
    }

    await queue.configure({ capacity: 1 });
    await queue.put(aTask({ recipient: "nobody" }));
    for (const response of [await queue.act("q", "retry"), await ask({})]) {
      expect(response.headers.get("retry-after")).toBe("1");
      expect(await problemOf(response)).toMatchObject({ status: 429, type: "/problems/queue-full", capacity: 1 });
    }
    expect(await queue.task("q")).toMatchObject({ status: "failed", outcome: "cancelled" });
  });

  it("503: while writes fail, tasks and leases are refused and none is stored", async () => {
    const ecosystem = freshEcosystem();
    const queue = queueOver(ecosystem);
    await queue.put(aTask({ task_id: "a" }));
    const onDisk = (statement: string) =>
      runInDurableObject(queueStub(ecosystem), (_, state) => {
        state.storage.sql.exec(statement);
      });
    await onDisk("CREATE TRIGGER full BEFORE UPDATE ON tasks BEGIN SELECT RAISE(ABORT, 'the disk is full'); END");
    await onDisk("CREATE TRIGGER fuller BEFORE INSERT ON tasks BEGIN SELECT RAISE(ABORT, 'the disk is full'); END");
    const waiting = post(`${queue.base}/lease`, { recipient: "coder", wait_ms: 5_000 });
    expect(await problemOf(await waiting)).toMatchObject({ status: 503, type: "/problems/overloaded" });
    const refused = await queue.put(aTask({ task_id: "b" }));
    expect(refused.headers.get("retry-after")).toBe("1");
    expect((await problemOf(refused)).status).toBe(503);
    expect(await queue.status()).toMatchObject({ depth: 1, running: 0 });
    await onDisk("DROP TRIGGER full");
    await onDisk("DROP TRIGGER fuller");
    expect((await queue.put(aTask({ task_id: "b" }))).status).toBe(202);
    expect((await queue.lease("coder", { max: 5 })).map(({ task_id, attempt }) => [task_id, attempt])).toEqual([
      ["a", 1],
      ["b", 1],
    ]);
  });
});
