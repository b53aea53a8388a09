import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { describe, expect, it, vi } from "vitest";
import { call, freshEcosystem, post } from "../api/calls.ts";
import { aTask, openChannel, queueOver, queueStub } from "./queue-under-test.ts";

/** Lets the time pass in which the clock of the queue's object stands at `ms` later, and its alarm fires. */
async function afterwards<Result>(ms: number, act: () => Promise<Result>): Promise<Result> {
  vi.useFakeTimers({ toFake: ["Date"] });
  try {
    vi.setSystemTime(Date.now() + ms);
    return await act();
  } finally {
    vi.useRealTimers();
  }
}

describe("routing by expertise", () => {
  it("gives a task to a worker with the skills that it needs, over the channel and over HTTP", async () => {
    const ecosystem = freshEcosystem();
    const queue = queueOver(ecosystem);
    await queue.put(aTask({ task_id: "plain" }));
    const [novice, expert] = [await openChannel(ecosystem, "novice"), await openChannel(ecosystem, "expert")];
    novice.send({ type: "ready", recipient: "coder", credit: 5 });
    expect((await novice.next("tasks")).tasks?.map(({ task_id }) => task_id)).toEqual(["plain"]);
    expert.send({ type: "ready", recipient: "coder", credit: 5, skills: ["sql", "python", "sql"] });
    await queue.put([
      aTask({ task_id: "hard", needs: { skills: ["python"] } }),
      aTask({ task_id: "harder", needs: { skills: ["rust"] } }),
    ]);
    const given = await expert.next("tasks");
    expect(given.tasks).toMatchObject([{ task_id: "hard", needs: { skills: ["python"] } }]);
    const [leased] = await queue.lease("coder", { skills: ["rust"] });
    expect(leased).toMatchObject({ task_id: "harder" });
    expect(await queue.task("harder")).toMatchObject({ needs: { skills: ["rust"] }, status: "running" });
    expect(novice.waiting.filter(({ type }) => type === "tasks")).toEqual([]);
  });

  it("keeps the skills of a worker and the needs of a task over hibernation", async () => {
    const ecosystem = freshEcosystem();
    const queue = queueOver(ecosystem);
    await queue.put(aTask({ task_id: "first" }));
    const expert = await openChannel(ecosystem, "expert");
    expert.send({ type: "ready", recipient: "coder", credit: 5, skills: ["python"] });
    await expert.next("tasks");
    await evictDurableObject(queueStub(ecosystem));
    await queue.put(aTask({ task_id: "hard", recipient: "*", needs: { skills: ["python"] } }));
    expect((await expert.next("tasks")).tasks).toMatchObject([{ task_id: "hard" }]);
  });

  it("refuses skills that are none, and calls at once where nobody has them", async () => {
    const ecosystem = freshEcosystem();
    const queue = queueOver(ecosystem);
    const wrong = await queue.put(aTask({ needs: { skills: ["two words"] } }));
    expect([wrong.status, JSON.stringify(await wrong.json())]).toEqual([422, expect.stringContaining("a skill")]);
    const worker = await openChannel(ecosystem, "coder");
    await queue.put(aTask());
    worker.send({ type: "ready", recipient: "coder", credit: 5 });
    await worker.next("tasks");
    const refused = await post(`${queue.base}/calls`, {
      recipient: "coder",
      type: "ASK",
      payload: null,
      needs: { skills: ["python"] },
      require_responder: true,
    });
    expect(refused.status).toBe(503);
  });
});

describe("agents that wait for each other's calls", () => {
  it("are found, named by a signal, and the oldest of their calls fails", async () => {
    const ecosystem = freshEcosystem();
    const queue = queueOver(ecosystem, "team");
    await queue.put([aTask({ recipient: "architect" }), aTask({ recipient: "coder" })]);
    const [architect, coder] = [
      await openChannel(ecosystem, "architect", "team"),
      await openChannel(ecosystem, "coder", "team"),
    ];
    for (const [channel, recipient] of [
      [architect, "architect"],
      [coder, "coder"],
    ] as const) {
      channel.send({ type: "ready", recipient, credit: 1 });
      await channel.next("tasks");
    }
    const ask = (sender: string, recipient: string) => ({
      type: "call",
      correlation_id: `${sender}-asks`,
      task_type: "ASK",
      payload: null,
      sender,
      recipient,
      timeout_ms: 300_000,
    });
    architect.send(ask("architect", "coder"));
    await vi.waitFor(async () => expect((await queue.status()).depth).toBe(1));
    coder.send(ask("coder", "architect"));
    await vi.waitFor(async () => expect((await queue.status()).depth).toBe(2));
    await afterwards(10_000, () => runDurableObjectAlarm(queueStub(ecosystem, "team")));
    const { correlation_id, problem } = await architect.next("reply");
    expect([correlation_id, problem?.status]).toEqual(["architect-asks", 502]);
    expect(JSON.stringify(problem)).toMatch(/deadlock: .*architect → coder → architect|coder → architect → coder/);
    await vi.waitFor(async () => {
      const answer = await call(`/v1/${ecosystem}/signals?signal=Q_QUEUE_DEADLOCK`);
      const { signals } = (await answer.json()) as { signals: { facts: object }[] };
      expect(signals).toMatchObject([{ facts: { queue: "team", ended_call: "architect-asks", sender: "architect" } }]);
    });
  });
});

describe("a queue", () => {
  it("tells a recipient of tasks that run long, and again while they do, one notice at a time", async () => {
    const ecosystem = freshEcosystem();
    const queue = queueOver(ecosystem);
    await queue.configure({ notify_long_to: "lead", notify_long_ms: 30_000, notify_long_every_ms: 300_000 });
    await queue.put(aTask({ task_id: "slow" }));
    await queue.lease("coder", { lease_ms: 3_600_000 });
    const alarm = () => runDurableObjectAlarm(queueStub(ecosystem));
    await afterwards(31_000, alarm);
    const [notice] = await queue.lease("lead");
    expect(notice).toMatchObject({ type: "LONG_TASKS", payload: { tasks: [{ task_id: "slow", recipient: "coder" }] } });
    await afterwards(200_000, alarm);
    expect(await queue.lease("lead")).toEqual([]);
    await afterwards(332_000, alarm);
    await afterwards(700_000, alarm);
    expect((await queue.lease("lead", { max: 9 })).map(({ type }) => type)).toEqual(["LONG_TASKS"]);
  });

  it("lists finished tasks, the last first, and keeps the last of them for more than a day", async () => {
    const ecosystem = freshEcosystem();
    const queue = queueOver(ecosystem);
    const finish = async (id: string) => {
      await queue.put(aTask({ task_id: id }));
      const [leased] = await queue.lease("coder");
      await queue.act(id, "complete", { lease_id: leased?.lease_id, result: { of: id } });
    };
    for (const id of ["a", "b", "c"]) await finish(id);
    const listed = async () => {
      const { tasks } = (await (await queue.get("/finished?limit=2")).json()) as { tasks: { task_id: string }[] };
      return tasks.map(({ task_id }) => task_id);
    };
    expect(await listed()).toEqual(["c", "b"]);
    for (let day = 1; day <= 8; day++) await afterwards(day * 86_400_000, () => finish(`day${day}`));
    expect(await listed()).toEqual(["day8", "day7"]);
    expect(await queue.task("a")).toMatchObject({ status: "complete", result: { of: "a" } });
    // The id may be used again after a day.
    await afterwards(9 * 86_400_000, () => finish("a"));
    expect(await listed()).toEqual(["a", "day8"]);
    await queue.configure({ keep_finished: 0 });
    for (let day = 20; day <= 26; day++) await afterwards(day * 86_400_000, () => finish(`day${day}`));
    expect((await queue.get("/tasks/b")).status).toBe(404);
  });

  it("knows its events and statistics after its object has slept", async () => {
    const ecosystem = freshEcosystem();
    const queue = queueOver(ecosystem);
    await queue.put([aTask({ task_id: "done" }), aTask({ task_id: "open" })]);
    const [leased] = await queue.lease("coder");
    await queue.act("done", "complete", { lease_id: leased?.lease_id });
    // Before an object sleeps, ten seconds after its last call, its alarm has come.
    const dueMs = await runInDurableObject(queueStub(ecosystem), (_, state) => state.storage.getAlarm());
    expect(dueMs).toBeLessThan(Date.now() + 10_000);
    await afterwards(8_000, () => runDurableObjectAlarm(queueStub(ecosystem)));
    await evictDurableObject(queueStub(ecosystem));
    const { events } = (await (await queue.get("/events?tail=10")).json()) as { events: object[] };
    expect(events).toMatchObject([
      { task_id: "done", event: "queued" },
      { task_id: "open", event: "queued" },
      { task_id: "done", event: "leased", priority: 5 },
      { task_id: "done", event: "complete", duration_ms: expect.any(Number) },
    ]);
    expect(await queue.status()).toMatchObject({ by_recipient: { coder: { complete: 1 } } });
  });
});
