import { runInDurableObject } from "cloudflare:test";
import { describe, expect, test } from "vitest";
import { call, freshEcosystem, post, problemOf } from "../api/calls.ts";
import { aTask, openChannel, queueOver, queueStub } from "./queue-under-test.ts";

const remove = (eco: string, query = "") => call(`/v1/${eco}/queues/work${query}`, { method: "DELETE" });
const queuesOf = async (eco: string) => (await call(`/v1/${eco}/queues`)).json();

describe("a queue that is deleted", () => {
  test("is known no more, and its name is free for a new queue with nothing of the old one", async () => {
    const eco = freshEcosystem();
    const queue = queueOver(eco);
    await queue.put(aTask({ task_id: "t1" }));
    await queue.configure({ capacity: 7 });
    const [leased] = await queue.lease("coder");
    await queue.act("t1", "complete", { lease_id: leased?.lease_id });
    expect((await remove(eco)).status).toBe(204);
    expect(await queuesOf(eco)).toEqual({ queues: [] });
    expect((await call(queue.base)).status).toBe(404);
    expect((await remove(eco)).status).toBe(404);
    await queue.put(aTask({ task_id: "t1" }));
    expect(await queue.task("t1")).toMatchObject({ status: "queued" });
    expect((await queue.status()).settings).toMatchObject({ capacity: 100_000 });
  });

  test("leaves nothing in its storage", async () => {
    const eco = freshEcosystem();
    await queueOver(eco).configure({ capacity: 7 });
    expect((await remove(eco)).status).toBe(204);
    const notes = await runInDurableObject(queueStub(eco), (_, { storage: { sql } }) =>
      sql.exec("SELECT * FROM notes").toArray(),
    );
    expect(notes).toEqual([]);
  });

  test("is kept while it has unfinished tasks, unless the deletion is forced", async () => {
    const eco = freshEcosystem();
    await queueOver(eco).put([aTask({ task_id: "t1" }), aTask({ task_id: "t2" })]);
    await queueOver(eco).lease("coder");
    expect(await problemOf(await remove(eco))).toMatchObject({
      status: 409,
      type: "/problems/queue-not-empty",
      detail: expect.stringContaining("2 unfinished tasks"),
      unfinished: 2,
    });
    expect((await queueOver(eco).task("t1")).status).toBe("running");
    expect((await remove(eco, "?force=false")).status).toBe(409);
    expect((await remove(eco, "?force=yes")).status).toBe(422);
    expect((await remove(eco, "?force=true")).status).toBe(204);
    expect(await queuesOf(eco)).toEqual({ queues: [] });
  });

  test("closes its channels, answers who waits, and is begun anew by the next task", async () => {
    const eco = freshEcosystem();
    const queue = queueOver(eco);
    await queue.put(aTask({ recipient: "somebody" }));
    const worker = await openChannel(eco, "w");
    worker.send({ type: "ready", recipient: "other", credit: 1 });
    const leasing = queue.lease("other", { wait_ms: 30_000 });
    const calling = post(`${queue.base}/calls`, { recipient: "nobody", type: "T", payload: 1, timeout_ms: 30_000 });
    await expect.poll(async () => (await queue.status()).workers).toEqual({ other: 2 });
    await expect.poll(async () => (await queue.status()).depth).toBe(2);
    expect((await remove(eco, "?force=true")).status).toBe(204);
    expect(await leasing).toEqual([]);
    expect((await calling).status).toBe(503);
    await worker.closed;
    const again = await openChannel(eco, "w");
    again.send({ type: "ready", recipient: "coder", credit: 1 });
    await queue.put(aTask({ task_id: "t9" }));
    expect((await again.next("tasks")).tasks).toMatchObject([{ task_id: "t9" }]);
  });

  test("is deleted once where several ask at the same time", async () => {
    const eco = freshEcosystem();
    await queueOver(eco).configure({ capacity: 7 });
    const statuses = await Promise.all(Array.from({ length: 8 }, async () => (await remove(eco)).status));
    expect(statuses.filter((status) => status !== 204 && status !== 404)).toEqual([]);
    expect(await queuesOf(eco)).toEqual({ queues: [] });
  });

  test("hands its dead letters on first", async () => {
    const eco = freshEcosystem();
    const queue = queueOver(eco);
    await queue.put(aTask({ task_id: "t1", max_attempts: 1 }));
    const [leased] = await queue.lease("coder");
    await queue.act("t1", "fail", { lease_id: leased?.lease_id, error: "broken" });
    expect((await remove(eco)).status).toBe(204);
    const { dead_letters } = await (await call(`/v1/${eco}/dead-letters`)).json<{ dead_letters: object[] }>();
    expect(dead_letters).toMatchObject([{ error: "broken" }]);
  });
});
