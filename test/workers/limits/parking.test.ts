import { evictDurableObject, runDurableObjectAlarm } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, describe, expect, it, vi } from "vitest";
import { priorityQueue } from "../../../src/workers/bindings/objects.ts";
import { call, post } from "../api/calls.ts";
import { limitsOf } from "./limits-under-test.ts";

afterEach(() => {
  vi.useRealTimers();
});

interface Leased {
  readonly task_id: string;
  readonly lease_id: string;
}

function queueOf(eco: string) {
  const base = `/v1/${eco}/queues/work`;
  const queue = () => priorityQueue(env, eco, "work");
  return {
    queue,
    enqueue: async (count: number, fields: object = {}) => {
      const tasks = Array.from({ length: count }, (_, place) => ({
        recipient: "coder",
        type: "CODE",
        payload: place,
        ...fields,
      }));
      const answer = await post(`${base}/tasks`, tasks);
      if (answer.status !== 202) throw new Error(await answer.text());
      return ((await answer.json()) as { tasks: { task_id: string }[] }).tasks.map(({ task_id }) => task_id);
    },
    lease: async (max = 1, wait_ms = 0) => {
      const answer = await post(`${base}/lease`, { recipient: "coder", max, wait_ms, lease_ms: 600_000 });
      return ((await answer.json()) as { tasks: Leased[] }).tasks;
    },
    task: async (id: string) => (await (await call(`${base}/tasks/${id}`)).json()) as Record<string, unknown>,
    complete: (tasks: readonly Leased[]) =>
      Promise.all(
        tasks.map(({ task_id: taskId, lease_id: leaseId }) =>
          queue().applyAction({ action: "complete", taskId, leaseId, resultJson: "1" }),
        ),
      ),
    async pass(ms: number) {
      vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + ms });
      await runDurableObjectAlarm(queue());
    },
  };
}

describe("tasks that name limits", () => {
  it("are parked while a limit is closed, a thousand of them, and each runs once after its reset, whatever is lost between", async () => {
    vi.useFakeTimers({ toFake: ["Date"], now: Date.UTC(2026, 0, 31, 12) });
    const { put, close, show, attention, eco, stub } = limitsOf();
    const { enqueue, lease, task, complete, pass, queue } = queueOf(eco);
    await put({ requests_per_minute: 50 });
    const { closed_until } = await close({ retry_after_seconds: 3_600, reason: "usage limit reached" });
    const ids = await enqueue(1_000, { limits: ["api"] });
    expect(await lease(1_000)).toEqual([]);
    expect(await show()).toMatchObject({ state: "closed", parked: 1_000 });
    expect(await limitsStatus(eco)).toMatchObject({ parked: 1_000, closed_limits: [{ limit: "api", parked: 1_000 }] });
    const { items } = await attention();
    expect(items.find(({ kind }) => kind === "limit_closed")?.consequence).toBe(
      "nobody is granted anything of it, and 1000 tasks are parked until then",
    );
    expect(await task(ids[0] ?? "")).toMatchObject({
      status: "queued",
      limits: ["api"],
      parked_until: closed_until,
      parked_reason: "the limit api is closed: usage limit reached",
    });
    await evictDurableObject(queue());
    await evictDurableObject(stub());
    await pass(3_599_000);
    expect(await lease(1_000)).toEqual([]);
    await evictDurableObject(queue());
    await pass(1_000);
    expect("parked" in (await limitsStatus(eco))).toBe(false);
    const taken = await lease(1_000);
    expect(taken.map(({ task_id }) => task_id).sort()).toEqual([...ids].sort());
    expect(await lease(1_000)).toEqual([]);
    for (const done of await complete(taken)) expect(done).toMatchObject({ status: "complete" });
    expect(await lease(1_000)).toEqual([]);
    expect(await task(ids[0] ?? "")).toMatchObject({ status: "complete", attempt: 1 });
  });

  it("are held back by push alone: the queue learns of a limit that is closed later, and of one that is opened by hand", async () => {
    const { put, close, open, eco, stub } = limitsOf();
    const { enqueue, lease } = queueOf(eco);
    await put({ concurrency: 5 });
    await enqueue(3, { limits: ["api"] });
    expect(await lease()).toHaveLength(1);
    await close({ retry_after_seconds: 600 });
    // The alarm of the limits ends when every queue has been told.
    await runDurableObjectAlarm(stub());
    expect((await limitsStatus(eco)).closed_limits).toMatchObject([{ limit: "api", reason: "closed by hand" }]);
    expect(await lease()).toEqual([]);
    const waiting = lease(1, 20_000);
    await open();
    expect(await waiting).toHaveLength(1);
  });

  it("let others pass: tasks that name no limit, or one that is open", async () => {
    const { put, close, eco } = limitsOf();
    const { enqueue, lease } = queueOf(eco);
    await put({ concurrency: 5 });
    await put({ concurrency: 5 }, "open");
    await close({ retry_after_seconds: 600 });
    const [parked] = await enqueue(1, { limits: ["open", "api"] });
    const [free] = await enqueue(1, { limits: ["open"] });
    const [plain] = await enqueue(1, { limits: ["no-such-limit"] });
    const taken = (await lease(10)).map(({ task_id }) => task_id);
    expect(taken).toEqual([free, plain]);
    expect(taken).not.toContain(parked);
  });

  it("are parked while the budget of their agent or of the ecosystem is spent, until its day ends", async () => {
    vi.useFakeTimers({ toFake: ["Date"], now: Date.UTC(2026, 0, 31, 12) });
    const { put, reserve, settle, eco, stub } = limitsOf();
    const { enqueue, lease, task, pass, queue, complete } = queueOf(eco);
    await put({});
    await post(`/v1/${eco}/budgets/coders`, { scope: "agent", match: "coder", usd: 1 }, { method: "PUT" });
    const [known] = await enqueue(1, { limits: ["api"] });
    const { reservation } = await reserve({ amounts: { usd: 1 }, agent: "coder" });
    await settle({ reservation });
    await runDurableObjectAlarm(stub());
    const [later] = await enqueue(1, { limits: ["api"] });
    const [plain] = await enqueue(1);
    const taken = await lease(10);
    expect(taken.map(({ task_id }) => task_id)).toEqual([plain]);
    await complete(taken);
    expect(await task(known ?? "")).toMatchObject({
      status: "queued",
      parked_until: "2026-02-01T00:00:00.000Z",
      parked_reason: "the budget coders of the agent coder is spent",
    });
    await evictDurableObject(queue());
    await pass(12 * 3_600_000);
    expect((await lease(10)).map(({ task_id }) => task_id)).toEqual([known, later]);
  });

  it("come from schedules, too", async () => {
    const { put, close, open, eco } = limitsOf();
    const { lease } = queueOf(eco);
    await put({});
    await close({ retry_after_seconds: 600 });
    const task = { recipient: "coder", type: "REVIEW", limits: ["api"] };
    await post(`/v1/${eco}/schedules/nightly`, { every: "1h", task }, { method: "PUT" });
    await call(`/v1/${eco}/schedules/nightly/run`, { method: "POST" });
    expect(await lease()).toEqual([]);
    const waiting = lease(1, 20_000);
    await open();
    expect(await waiting).toMatchObject([{ task_id: expect.stringContaining("nightly") }]);
  });

  it("go on when the limit is deleted", async () => {
    const { put, close, remove, eco } = limitsOf();
    const { enqueue, lease } = queueOf(eco);
    await put({ concurrency: 5 });
    await close({ retry_after_seconds: 600 });
    await enqueue(1, { limits: ["api"] });
    const waiting = lease(1, 20_000);
    await remove();
    expect(await waiting).toHaveLength(1);
  });
});

const limitsStatus = async (eco: string) =>
  (await (await call(`/v1/${eco}/queues/work`)).json()) as { closed_limits?: unknown[] };
