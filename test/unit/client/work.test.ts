import { afterEach, describe, expect, it } from "vitest";
import { TaskRefused, type Worker, work } from "../../../src/client/work/worker.ts";
import { FakeQueue } from "./fake-queue.ts";

let queue: FakeQueue;
let worker: Worker;
afterEach(async () => queue.stop());

async function start(
  handler: Parameters<typeof work>[2],
  more: Partial<Parameters<typeof work>[3]> = {},
): Promise<void> {
  queue = new FakeQueue();
  const url = await queue.start();
  worker = work("work", "coder", handler, { url, token: "t", ...more });
  expect(await queue.next("ready")).toMatchObject({ recipient: "coder", credit: more.concurrency ?? 1 });
}

describe("a worker", () => {
  it("reports results and failures, and whether another attempt makes sense", async () => {
    await start(({ payload }) => {
      if (payload === "bad") throw new Error("no disk");
      if (payload === "hopeless") throw new TaskRefused("no such module");
      return { did: payload };
    });
    queue.give("good");
    expect((await queue.next("complete")).tasks).toEqual([
      { task_id: "good", lease_id: "good.1", result: { did: "good" } },
    ]);
    queue.give("bad");
    expect((await queue.next("fail")).tasks).toMatchObject([{ error: "no disk", retry: true }]);
    queue.give("hopeless");
    expect((await queue.next("fail")).tasks).toMatchObject([{ error: "no such module", retry: false }]);
  });

  it("sends results that end in the same turn in messages that the queue takes, and loses none", async () => {
    const names = Array.from({ length: 40 }, (_, place) => `t${place}`);
    let open = (): void => {};
    const gate = new Promise<void>((resolve) => {
      open = resolve;
    });
    let running = 0;
    await start(
      async () => {
        if (++running === names.length) open();
        await gate;
        return "€".repeat(20_000);
      },
      { concurrency: names.length },
    );
    queue.give(...names);
    const reported: unknown[] = [];
    while (reported.length < names.length)
      reported.push((await queue.next("complete")).tasks?.map(({ task_id }) => task_id));
    expect(reported.flat().toSorted()).toEqual(names.toSorted());
    expect(Math.max(...queue.messageBytes)).toBeLessThan(1024 * 1024);
  });

  it("fails a task at once whose result can never be kept, with its size, and runs its neighbours", async () => {
    const circular: { self?: unknown } = {};
    circular.self = circular;
    const results: Record<string, unknown> = { big: "x".repeat(1_200_000), odd: circular, huge: 1n, fine: 1 };
    await start(({ payload }) => results[String(payload)], { concurrency: 4 });
    queue.give("big", "odd", "huge", "fine");
    const failures = [await queue.next("fail"), await queue.next("fail"), await queue.next("fail")];
    expect(failures.flatMap(({ tasks }) => tasks)).toMatchObject([
      { task_id: "big", retry: false, error: expect.stringContaining("result too large: 1200002 bytes of 65536") },
      { task_id: "odd", retry: false, error: expect.stringContaining("result is not JSON") },
      { task_id: "huge", retry: false, error: expect.stringContaining("result is not JSON") },
    ]);
    expect((await queue.next("complete")).tasks).toMatchObject([{ task_id: "fine", result: 1 }]);
  });

  it("renews the lease while its handler runs, and aborts the handler when the lease is lost", async () => {
    let reason: unknown;
    await start(
      (_, { signal }) =>
        new Promise((resolve) => {
          signal.addEventListener("abort", () => {
            reason = signal.reason;
            resolve("too late");
          });
        }),
      { leaseMs: 300 },
    );
    queue.give("a");
    expect((await queue.next("extend")).tasks).toEqual([{ task_id: "a", lease_id: "a.1", lease_ms: 300 }]);
    queue.send({ type: "conflict", tasks: [{ task_id: "a", lease_id: "a.1", reason: "lost" }] });
    await worker.stop();
    expect(String(reason)).toBe("Error: the lease was lost");
    // The result of the handler after that is not reported.
    expect(await queue.next("closed 1000")).toBeDefined();
  });

  it("stops gracefully: takes no more tasks, finishes the running ones, and closes when the reports are confirmed", async () => {
    let finish = (): void => {};
    await start(
      () =>
        new Promise<void>((resolve) => {
          finish = resolve;
        }),
    );
    queue.give("a");
    await expect.poll(() => worker.running).toBe(1);
    let stopped = false;
    const stopping = worker.stop().then(() => {
      stopped = true;
    });
    expect(await queue.next("ready")).toMatchObject({ credit: 0 });
    queue.give("late");
    expect((await queue.next("release")).tasks).toEqual([{ task_id: "late", lease_id: "late.1" }]);
    finish();
    const done = await queue.next("complete");
    expect(stopped).toBe(false);
    queue.confirm(done);
    queue.send({ type: "done", tasks: [{ task_id: "late", lease_id: "late.1", status: "queued" }] });
    await stopping;
    expect(await queue.next("closed 1000")).toBeDefined();
  });

  it("renews its leases and sends unconfirmed reports again after a lost connection", async () => {
    let finish = (): void => {};
    await start(
      ({ payload }) =>
        payload === "quick"
          ? "done"
          : new Promise<void>((resolve) => {
              finish = resolve;
            }),
      { concurrency: 2 },
    );
    queue.give("quick", "slow");
    await queue.next("complete");
    queue.socket?.terminate();
    expect(await queue.next("ready")).toMatchObject({ credit: 2 });
    expect((await queue.next("extend")).tasks).toMatchObject([{ task_id: "slow" }]);
    expect((await queue.next("complete")).tasks).toMatchObject([{ task_id: "quick", result: "done" }]);
    finish();
    expect((await queue.next("complete")).tasks).toMatchObject([{ task_id: "slow" }]);
  });
});

describe("a worker whose connection was cut while it had results to report", () => {
  it("sends them anew in messages that the queue takes, beside its readiness, and loses none", async () => {
    const names = Array.from({ length: 40 }, (_, place) => `t${place}`);
    await start(async () => "x".repeat(30_000), { concurrency: names.length });
    queue.give(...names);
    const reported = async () => {
      const found: unknown[] = [];
      while (found.length < names.length)
        found.push(...((await queue.next("complete")).tasks ?? []).map(({ task_id }) => task_id));
      return found.toSorted();
    };
    expect(await reported()).toEqual(names.toSorted());
    queue.socket?.terminate();
    expect(await queue.next("ready")).toMatchObject({ credit: names.length });
    expect(await reported()).toEqual(names.toSorted());
    expect(Math.max(...queue.messageBytes)).toBeLessThan(1024 * 1024);
  });
});

describe("a worker without a queue", () => {
  it("retries once for each failed attempt, and has one connection when the queue is back", async () => {
    queue = new FakeQueue();
    const url = await queue.start();
    const { port } = new URL(url);
    await queue.stop();
    const tries: string[] = [];
    let triedEnough = () => {};
    const enough = new Promise<void>((resolve) => {
      triedEnough = resolve;
    });
    worker = work("q", "r", async () => null, {
      url,
      token: "t",
      onRemark: (remark) => {
        tries.push(remark);
        if (tries.length === 3) triedEnough();
      },
    });
    await enough;
    // If a connection that never opened was also reported as lost, each failure would double the attempts.
    expect(tries.filter((remark) => !remark.startsWith("no queue answers"))).toEqual([]);
    queue = new FakeQueue(Number(port));
    await queue.start();
    await queue.next("ready");
    // Closing ends the one connection. A second connection would still be open after that.
    const stopped = worker.stop();
    await queue.next("closed 1000");
    await stopped;
    expect(queue.connections).toBe(1);
  });
});
