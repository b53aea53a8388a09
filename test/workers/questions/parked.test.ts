import { runDurableObjectAlarm } from "cloudflare:test";
import { afterEach, describe, expect, it, vi } from "vitest";
import { problemOf } from "../api/calls.ts";
import { crash } from "../crash.ts";
import { evict } from "../evict.ts";
import { aTask, queueOver, queueStub } from "../queue/queue-under-test.ts";
import { questionsOf } from "./questions-under-test.ts";

afterEach(() => {
  vi.useRealTimers();
});

/** A queue with a task that its worker has, and questions. */
async function working() {
  const asking = questionsOf();
  const queue = queueOver(asking.eco);
  await queue.put(aTask({ task_id: "t", max_attempts: 1 }));
  const [task] = await queue.lease("coder", { lease_ms: 60_000 });
  const park = (question: string) => queue.act("t", "park", { lease_id: task?.lease_id, question });
  return { ...asking, queue, park, lease: task?.lease_id, worker: () => queueStub(asking.eco) };
}

describe("a task that is parked for a question", () => {
  it("holds no worker, says what it waits for, and comes back with the answer, once", async () => {
    const { ask, answer, queue, park } = await working();
    const id = await ask();
    const parked = await park(id);
    expect([parked.status, await parked.json()]).toEqual([200, { task_id: "t", status: "queued" }]);
    expect(await queue.task("t")).toMatchObject({
      status: "queued",
      attempt: 0,
      waits_for: { why: "waits for an answer of ops", question: id },
    });
    expect(await queue.lease("coder")).toEqual([]);
    const waiting = queue.lease("coder", { wait_ms: 30_000 });
    await answer(id, "yes");
    const [back, ...others] = await waiting;
    expect([back, others]).toMatchObject([
      { task_id: "t", attempt: 1, answers: [{ question: id, state: "answered", answer: "yes" }] },
      [],
    ]);
    expect(await queue.lease("coder")).toEqual([]);
    await queue.act("t", "complete", { lease_id: back?.lease_id });
    expect(await queue.task("t")).toMatchObject({ status: "complete" });
  });

  it("comes back at once where the question is over already", async () => {
    const { ask, answer, queue, park } = await working();
    const id = await ask();
    await answer(id, "no");
    expect((await park(id)).status).toBe(200);
    expect(await queue.lease("coder")).toMatchObject([{ task_id: "t", attempt: 1, answers: [{ answer: "no" }] }]);
  });

  it("comes back without an answer when the question expires or is taken back", async () => {
    const { ask, queue, park, pass } = await working();
    const id = await ask({ expires: "1h" });
    await park(id);
    await pass(3_600_001);
    expect(await queue.lease("coder")).toMatchObject([{ answers: [{ question: id, state: "expired", answer: null }] }]);
  });

  it("is not lost when either side crashes before, between and after the steps", async () => {
    const { ask, answer, queue, park, stub, worker } = await working();
    const id = await ask();
    // The watch was stored and the park was not: the worker is told nothing, and asks again.
    await stub().watch(id, "work", "t");
    await crash(stub());
    await crash(worker());
    expect((await park(id)).status).toBe(200);
    expect((await park(id)).status).toBe(200);
    await evict(worker());
    // The answer is stored, and the queue is told after a crash.
    await stub().answer(id, { answer: "yes", comment: null, by: { name: "a", id: "", way: "token" }, key: null });
    await crash(stub());
    await runDurableObjectAlarm(stub());
    await crash(worker());
    const tasks = await queue.lease("coder", { max: 10, wait_ms: 10_000 });
    expect(tasks).toMatchObject([{ task_id: "t", attempt: 1, answers: [{ question: id, answer: "yes" }] }]);
    await answer(id, "no");
    await runDurableObjectAlarm(stub());
    expect(await queue.lease("coder", { max: 10 })).toEqual([]);
  });

  it("keeps an answer that came between the watch and the park", async () => {
    const { ask, answer, queue, park, stub } = await working();
    const id = await ask();
    await stub().watch(id, "work", "t");
    await answer(id, "yes");
    await runDurableObjectAlarm(stub());
    await vi.waitFor(async () => expect(await queue.task("t")).toMatchObject({ answers: [{ answer: "yes" }] }));
    expect((await park(id)).status).toBe(200);
    expect(await queue.lease("coder")).toMatchObject([{ answers: [{ question: id, answer: "yes" }] }]);
  });

  it("is parked by its worker alone, and for a question that there is", async () => {
    const { queue, ask, park } = await working();
    expect(await problemOf(await park("never"))).toMatchObject({ status: 404 });
    const id = await ask();
    expect(await problemOf(await queue.act("t", "park", { lease_id: "L.x", question: id }))).toMatchObject({
      status: 409,
    });
    expect(await problemOf(await queue.act("none", "park", { lease_id: "L.x", question: id }))).toMatchObject({
      status: 404,
    });
  });
});
