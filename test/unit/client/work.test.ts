import { afterEach, describe, expect, it } from "vitest";
import { TaskRefused, type Worker, work } from "../../../src/client/work/worker.ts";
import { QueueDouble } from "./fake-queue.ts";

let queue: QueueDouble;
let worker: Worker;
afterEach(async () => queue.stop());

async function start(
  handler: Parameters<typeof work>[2],
  more: Partial<Parameters<typeof work>[3]> = {},
): Promise<void> {
  queue = new QueueDouble();
  const url = await queue.start();
  worker = work("work", "coder", handler, { url, token: "t", ...more });
  expect(await queue.next("ready")).toMatchObject({ recipient: "coder", credit: more.concurrency ?? 1 });
}

describe("a worker", () => {
  it("tells results and failures, and whether another attempt makes sense", async () => {
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

  it("renews leases while its handler runs, and stops it when the lease is lost", async () => {
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
    queue.say({ type: "conflict", tasks: [{ task_id: "a", lease_id: "a.1", reason: "lost" }] });
    await worker.stop();
    expect(String(reason)).toBe("Error: the lease was lost");
    // What a handler says after that is not passed on.
    expect(await queue.next("closed 1000")).toBeDefined();
  });

  it("stops gracefully: takes no more, finishes what it has, and says good-bye when that is confirmed", async () => {
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
    queue.say({ type: "done", tasks: [{ task_id: "late", lease_id: "late.1", status: "queued" }] });
    await stopping;
    expect(await queue.next("closed 1000")).toBeDefined();
  });

  it("goes on across a lost connection: renews what it holds and tells again what was not confirmed", async () => {
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

it("tries again once for each try in vain, and has one connection when the queue is back", async () => {
  queue = new QueueDouble();
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
  // Told of as lost as well, a connection that never was would be tried for twice, and twice as often each time.
  expect(tries.filter((remark) => !remark.startsWith("no queue answers"))).toEqual([]);
  queue = new QueueDouble(Number(port));
  await queue.start();
  await queue.next("ready");
  // A good-bye goes over the one connection there is; whatever else was opened would still be there after it.
  const stopped = worker.stop();
  await queue.next("closed 1000");
  await stopped;
  expect(queue.connections).toBe(1);
});
