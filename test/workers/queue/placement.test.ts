import { evictDurableObject } from "cloudflare:test";
import { afterEach, describe, expect, it, vi } from "vitest";
import { makeToken } from "../access/tokens-under-test.ts";
import { call, freshEcosystem, post, problemOf } from "../api/calls.ts";
import { aSignal, logOf, observationsOf } from "../log-under-test.ts";
import { putRule } from "../policy/policies-under-test.ts";
import { aTask, openChannel, queueOver, queueStub } from "./queue-under-test.ts";

afterEach(() => {
  vi.useRealTimers();
});

/** A host says how it is. */
async function report(eco: string, host: string, facts: Record<string, unknown>): Promise<void> {
  const signal = {
    signal: "OBSERVATION",
    source: `sampler/${host}`,
    facts: { zooid: `host/${host}`, ok: true, host, ...facts },
  };
  const answer = await post(`/v1/${eco}/signals`, signal);
  if (!answer.ok) throw new Error(await answer.text());
  await observationsOf(eco).catchUp((await logOf(eco).status()).head_seq);
}
const gpu = (used: number, total: number, utilization: number) => ({
  cpu_percent: 10,
  gpu_utilization: utilization,
  gpu_memory_used_mb: used,
  gpu_memory_total_mb: total,
});
const needing = (mb: number, more: object = {}) =>
  aTask({ recipient: "trainer", needs: { gpu_memory_mb: mb }, ...more });
const zoned = { gpu_memory_mb: 8_000, labels: { zone: "a" }, skills: ["cuda"] };
/** Two hosts, of which only `gpu-02` has the memory that `zoned` asks for, and workers on both. */
async function twoHosts(eco: string) {
  await report(eco, "gpu-01", gpu(76_000, 80_000, 95));
  await report(eco, "gpu-02", gpu(2_000, 80_000, 3));
  const queue = queueOver(eco);
  const lease = (host: string, zone = "a", skills = ["cuda"]) =>
    queue.lease("trainer", { host, labels: { zone }, skills, max: 10 });
  return { queue, lease };
}
const later = (ms: number) => vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + ms });

describe("tasks that need what a host has", () => {
  it("go to the host that has it: 100 of 100 to the other one where one is at 95 % of its GPU", async () => {
    const eco = freshEcosystem();
    const queue = queueOver(eco);
    await report(eco, "gpu-01", gpu(76_000, 80_000, 95));
    await report(eco, "gpu-02", gpu(2_000, 80_000, 3));
    await queue.put(aTask({ recipient: "begin" }));
    const [busy, idle] = [await openChannel(eco, "one"), await openChannel(eco, "two")];
    busy.send({ type: "ready", recipient: "trainer", credit: 200, host: "gpu-01" });
    idle.send({ type: "ready", recipient: "trainer", credit: 200, host: "gpu-02" });
    const tasks = Array.from({ length: 100 }, (_, n) => needing(5_000, { task_id: `t${n}` }));
    await queue.put(tasks);
    let done = 0;
    while (done < 100) {
      const { tasks: given = [] } = await idle.next("tasks");
      // 78,000 MB are free: never more than fifteen at a time.
      expect(given.length).toBeLessThanOrEqual(15);
      done += given.length;
      idle.send({ type: "complete", tasks: given.map(({ task_id, lease_id }) => ({ task_id, lease_id, result: 1 })) });
    }
    expect([done, busy.waiting.filter(({ type }) => type === "tasks")]).toEqual([100, []]);
  });

  it("are given to nobody by a sample that is too old, say why, and go out with the next sample", async () => {
    const eco = freshEcosystem();
    const queue = queueOver(eco);
    await report(eco, "gpu-01", gpu(0, 80_000, 0));
    await queue.put(aTask({ recipient: "begin" }));
    const worker = await openChannel(eco, "w");
    worker.send({ type: "ready", recipient: "trainer", credit: 5, host: "gpu-01" });
    later(120_000);
    await queue.put(needing(8_000, { task_id: "t1" }));
    await vi.waitFor(async () =>
      expect((await queue.task("t1")).unplaced).toBe(
        "no host has 8,000 MB of free GPU memory: gpu-01 sample is 2 min old",
      ),
    );
    expect(await queue.lease("trainer", { host: "gpu-01" })).toEqual([]);
    expect(worker.waiting.filter(({ type }) => type === "tasks")).toEqual([]);
    await report(eco, "gpu-01", gpu(0, 80_000, 0));
    later(10_000);
    await queue.put(aTask({ recipient: "begin" }));
    expect((await worker.next("tasks")).tasks).toMatchObject([{ task_id: "t1", needs: { gpu_memory_mb: 8_000 } }]);
    expect(await queue.task("t1")).not.toHaveProperty("unplaced");
  });

  it("go over HTTP to who says its host and its labels, also after the queue has slept, and to nobody else", async () => {
    const eco = freshEcosystem();
    const queue = queueOver(eco);
    await report(eco, "gpu-01", gpu(0, 10_000, 0));
    await queue.put(aTask({ recipient: "trainer", task_id: "t1", needs: zoned }));
    expect(await queue.lease("trainer")).toEqual([]);
    expect(await queue.lease("trainer", { host: "gpu-01", labels: { zone: "b" }, skills: ["cuda"] })).toEqual([]);
    expect(await queue.lease("trainer", { labels: { zone: "a" }, skills: ["cuda"] })).toEqual([]);
    const zonedOnly = { type: "ready", recipient: "trainer", credit: 5, host: "gpu-01", labels: { zone: "b" } };
    (await openChannel(eco, "b")).send(zonedOnly);
    await vi.waitFor(async () => expect((await queue.task("t1")).unplaced).toContain("no connected worker has zone=a"));
    await evictDurableObject(queueStub(eco));
    const [task] = await queue.lease("trainer", { host: "gpu-01", labels: { zone: "a" }, skills: ["cuda"] });
    expect(task).toMatchObject({ task_id: "t1", needs: zoned });
  });

  it("need somebody when they have waited for a host for five minutes", async () => {
    const eco = freshEcosystem();
    const queue = queueOver(eco);
    await report(eco, "gpu-01", gpu(79_000, 80_000, 95));
    await queue.put([needing(8_000, { task_id: "t1" }), needing(9_000), needing(8_000)]);
    const worker = await openChannel(eco, "w");
    worker.send({ type: "ready", recipient: "trainer", credit: 5, host: "gpu-01" });
    await vi.waitFor(async () => expect((await queue.task("t1")).unplaced).toContain("gpu-01 1,000 MB"));
    expect(await queue.status()).toMatchObject({ unplaced: [{ task_id: "t1", tasks: 2 }, { tasks: 1 }] });
    later(301_000);
    const { items } = (await (await call(`/v1/${eco}/attention`)).json()) as { items: { kind: string; why: string }[] };
    expect(items.find(({ kind }) => kind === "tasks_unplaced")?.why).toContain("of free GPU memory: gpu-01");
    for (const task of await queue.lease("trainer", { max: 3 })) expect(task).toBeUndefined();
    await queue.act("t1", "cancel");
    expect(await queue.status()).toMatchObject({ unplaced: [{ tasks: 1 }, { tasks: 1 }] });
  });

  it("made by a rule go only to the host that has what the rule says they need", async () => {
    const eco = freshEcosystem();
    const { queue, lease } = await twoHosts(eco);
    const enqueue = { queue: "work", recipient: "'trainer'", type: "TRAIN", task_id: "'t1'", needs: zoned };
    expect((await putRule(eco, "train", { when: "X_DATA", then: [{ enqueue }] })).status).toBe(200);
    await logOf(eco).append({ signals: [aSignal("X_DATA", {})] });
    await expect.poll(async () => (await queue.status()).depth, { timeout: 45_000 }).toBe(1);
    expect(await queue.task("t1")).toMatchObject({ needs: zoned });
    expect([await lease("gpu-01"), await lease("gpu-02", "b"), await lease("gpu-02", "a", [])]).toEqual([[], [], []]);
    expect(await lease("gpu-02")).toMatchObject([{ task_id: "t1", needs: zoned }]);
  });

  it("made by a schedule go only to the host that has what the schedule says they need", async () => {
    const eco = freshEcosystem();
    const { queue, lease } = await twoHosts(eco);
    const task = { recipient: "trainer", type: "TRAIN", needs: zoned };
    const put = await post(`/v1/${eco}/schedules/nightly`, { every: "1h", task }, { method: "PUT" });
    expect(await put.json()).toMatchObject({ task: { needs: zoned } });
    expect((await call(`/v1/${eco}/schedules/nightly/run`, { method: "POST" })).ok).toBe(true);
    await expect.poll(async () => (await queue.status()).depth, { timeout: 45_000 }).toBe(1);
    expect([await lease("gpu-01"), await lease("gpu-02", "b"), await lease("gpu-02", "a", [])]).toEqual([[], [], []]);
    expect(await lease("gpu-02")).toMatchObject([{ sender: "ganglion/schedules/nightly", needs: zoned }]);
  });

  it("are refused where they are written, with the place of what is wrong, in a rule and in a schedule", async () => {
    const eco = freshEcosystem();
    const needs = { gpu_memory_mb: 0 };
    const enqueue = { queue: "work", recipient: "'trainer'", type: "TRAIN", needs };
    expect(await problemOf(await putRule(eco, "train", { when: "X_DATA", then: [{ enqueue }] }))).toMatchObject({
      status: 422,
      errors: [{ pointer: "/then/0/enqueue/needs/gpu_memory_mb" }],
    });
    const task = { recipient: "trainer", type: "TRAIN", needs };
    expect(
      await problemOf(await post(`/v1/${eco}/schedules/nightly`, { every: "1h", task }, { method: "PUT" })),
    ).toMatchObject({ status: 422, errors: [{ pointer: "/task/needs/gpu_memory_mb" }] });
  });

  it("are refused to a worker that says a host which its token is not good for", async () => {
    const eco = freshEcosystem();
    const queue = queueOver(eco);
    const { token } = await makeToken(eco, ["tasks:work"], { hosts: ["gpu-01"] });
    const lease = (host: string) => post(`${queue.base}/lease`, { recipient: "trainer", host }, { token });
    expect(await problemOf(await lease("gpu-02"))).toMatchObject({ status: 403, type: "/problems/not-bound" });
    expect((await lease("gpu-01")).status).toBe(200);
    const wrong = await post(`${queue.base}/tasks`, aTask({ needs: { gpu_memory_mb: 0 } }));
    expect(await problemOf(wrong)).toMatchObject({ status: 422, errors: [{ pointer: "/needs/gpu_memory_mb" }] });
    expect((await call(`${queue.base}/tasks`)).status).not.toBe(500);
  });
});
