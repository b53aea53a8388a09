import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { afterEach, describe, expect, it, vi } from "vitest";
import { freshEcosystem, post, problemOf } from "../api/calls.ts";
import { allOf, follow } from "../log-under-test.ts";
import { patience } from "../patience.ts";
import { openChannel, queueOver, queueStub } from "./queue-under-test.ts";

type Channel = Awaited<ReturnType<typeof openChannel>>;

/** A queue whose only worker ends each call as the test says. */
async function calling(ecosystem: string, name = "work") {
  const queue = queueOver(ecosystem, name);
  const worker = await openChannel(ecosystem, "w1", name);
  await worker.ready("oracle", 20);
  const ask = (more: object = {}) =>
    post(`${queue.base}/calls`, { recipient: "oracle", type: "ASK", payload: null, max_attempts: 1, ...more });
  /** Calls, and ends the call at the worker. */
  const end = async (how: "complete" | "fail", more: object = {}) => {
    const answer = ask(more);
    await settle(worker, how);
    return answer;
  };
  return { queue, worker, ask, end };
}

async function settle(worker: Channel, how: "complete" | "fail"): Promise<void> {
  for (const { task_id, lease_id } of (await worker.next("tasks")).tasks ?? []) {
    const outcome = how === "complete" ? { result: "yes" } : { error: "no model" };
    worker.send({ type: how, tasks: [{ task_id, lease_id, ...outcome }] });
    await worker.next("done");
  }
}

const setClock = (ms: number) => {
  vi.useFakeTimers({ toFake: ["Date"] });
  vi.setSystemTime(ms);
};

afterEach(() => {
  vi.useRealTimers();
});

describe("the breaker of a queue's calls", () => {
  it("refuses calls over HTTP and over a channel at once when calls have failed, also after a restart, with the time of the next probe", async () => {
    const ecosystem = freshEcosystem();
    const { queue, ask, end } = await calling(ecosystem);
    await queue.configure({ breaker_failures: 2 });
    for (let n = 0; n < 2; n++) expect((await end("fail")).status).toBe(502);
    await evictDurableObject(queueStub(ecosystem));
    const refused = await ask();
    expect(Number(refused.headers.get("Retry-After"))).toBeGreaterThan(0);
    expect(await problemOf(refused)).toMatchObject({
      type: "/problems/breaker-open",
      status: 503,
      recipient: "oracle",
      reason: "2 calls in a row failed; the last one met a responder that failed",
      next_probe_at: expect.any(String),
      retry_after_ms: expect.any(Number),
    });
    const caller = await openChannel(ecosystem, "caller");
    caller.send({ type: "call", correlation_id: "c1", recipient: "oracle", task_type: "ASK", payload: null });
    expect((await caller.next("reply")).problem).toMatchObject({ type: "/problems/breaker-open", status: 503 });
    expect(await queue.status()).toMatchObject({
      depth: 0,
      breakers: [{ recipient: "oracle", state: "open", failed_probes: 0, next_probe_at: expect.any(String) }],
    });
    expect((await ask({ recipient: "other", timeout_ms: 20 })).status).toBe(504);
  });

  it("lets one of many callers try after its time, closes by the answer, and says so by signals", async () => {
    const ecosystem = freshEcosystem();
    const { queue, worker, ask, end } = await calling(ecosystem);
    await queue.configure({ breaker_failures: 2 });
    const follower = await follow(ecosystem, ["Q_QUEUE_BREAKER"]);
    for (let n = 0; n < 2; n++) await end("fail");
    const opened = await follower.next();
    expect(opened).toMatchObject({
      source: "ganglion/queue/work",
      facts: { queue: "work", recipient: "oracle", state: "opened", reason: expect.stringContaining("in a row") },
    });
    setClock(Date.parse(String(opened.facts.next_probe_at)));
    const answers = Array.from({ length: 5 }, () => ask());
    await settle(worker, "complete");
    const statuses = (await Promise.all(answers)).map(({ status }) => status);
    expect(statuses.toSorted()).toEqual([200, 503, 503, 503, 503]);
    expect((await follower.next()).facts).toMatchObject({ state: "probe", probe: expect.any(String) });
    expect((await follower.next()).facts).toMatchObject({ state: "closed", since: opened.facts.since });
    expect(await queue.status()).toMatchObject({ breakers: [] });
    expect(await allOf(ecosystem)).toHaveLength(3);
  });

  it("opens where callers had no answer in time, before a late answer comes", async () => {
    const { queue, ask, worker } = await calling(freshEcosystem());
    await queue.configure({ breaker_failures: 2 });
    for (let n = 0; n < 2; n++) expect((await ask({ timeout_ms: 20 })).status).toBe(504);
    // The caller's clock began before the queue's.
    await vi.waitFor(
      async () =>
        expect(await problemOf(await ask({ timeout_ms: 20 }))).toMatchObject({
          type: "/problems/breaker-open",
          reason: "2 calls in a row failed; the last one had no answer in time",
        }),
      patience,
    );
    await settle(worker, "complete");
    expect((await ask()).status).toBe(503);
  });

  it("answers by the queue's fallback, which says where it comes from and what it is worth", async () => {
    const ecosystem = freshEcosystem();
    const { queue, ask, end } = await calling(ecosystem);
    await queue.configure({
      breaker_failures: 1,
      breaker_fallback: { result: { answer: 42 }, source: "last-known", confidence: 0.4 },
    });
    await end("fail");
    const answer = await ask();
    expect([answer.status, await answer.json()]).toMatchObject([
      200,
      { result: { answer: 42 }, responder: null, source: "last-known", confidence: 0.4 },
    ]);
    const caller = await openChannel(ecosystem, "caller");
    caller.send({ type: "call", correlation_id: "c1", recipient: "oracle", task_type: "ASK", payload: null });
    expect(await caller.next("reply")).toMatchObject({ result: { answer: 42 }, source: "last-known", confidence: 0.4 });
  });

  it("writes nothing for calls that are answered, and gives the result of an earlier call while it is open", async () => {
    const ecosystem = freshEcosystem();
    const { queue, ask, end } = await calling(ecosystem);
    await queue.configure({ breaker_failures: 2, breaker_rate: 0.5 });
    await end("complete", { correlation_id: "good" });
    const tables = () =>
      runInDurableObject(queueStub(ecosystem), (_, { storage }) =>
        storage.sql.exec("SELECT name FROM sqlite_master WHERE name = 'breakers'").toArray(),
      );
    expect(await tables()).toEqual([]);
    for (let n = 0; n < 2; n++) await end("fail");
    expect((await ask()).status).toBe(503);
    expect(await (await ask({ correlation_id: "good" })).json()).toMatchObject({ result: "yes" });
  });

  it("is there without a setting in the queue of those who ask about code, and in no other", async () => {
    const ecosystem = freshEcosystem();
    for (const [name, sixth] of [
      ["intelligence", 503],
      ["work", 502],
    ] as const) {
      const { end, ask, worker } = await calling(ecosystem, name);
      for (let n = 0; n < 5; n++) expect((await end("fail")).status).toBe(502);
      const answer = ask();
      if (sixth === 502) await settle(worker, "fail");
      expect((await answer).status).toBe(sixth);
    }
  });
});
