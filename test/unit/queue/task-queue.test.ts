import { describe, expect, it, test } from "vitest";
import { retryDelayMs } from "../../../src/core/queue/back-off.ts";
import { DEFAULT_SETTINGS, type QueueSettings } from "../../../src/core/queue/queue-settings.ts";
import fc from "../../fast-check.ts";
import { anyHistory, ModelQueue } from "./queue-model.ts";
import { aTask, QueueUnderTest } from "./queue-under-test.ts";

const settings = (change: Partial<QueueSettings> = {}): QueueSettings => ({
  ...DEFAULT_SETTINGS,
  backoff_ms: 1_000,
  backoff_max_ms: 4_000,
  ...change,
});

describe("a queue", () => {
  for (const [name, change] of [
    ["refusing when full", { capacity: 6 }],
    ["dropping the oldest when full", { capacity: 6, overflow: "drop_oldest" }],
    ["with ageing", { ageing_ms: 1_000 }],
  ] as const satisfies readonly (readonly [string, Partial<QueueSettings>])[]) {
    for (const [where, residentBytes, whole, numRuns] of [
      ["", undefined, undefined, 1_000],
      [", with starts that read places alone", undefined, 0, 1_000],
      [", with starts that read places behind the second task", undefined, 2, 200],
      [", with tasks that wait in storage alone", 0, 0, 200],
      [", with two of the tasks in memory", 1_500, undefined, 200],
    ] as const) {
      test(`agrees with the model whatever happened before, ${name}${where}`, () => {
        const setup = () => ({
          model: new ModelQueue(settings(change)),
          real: new QueueUnderTest(settings(change), residentBytes, whole),
        });
        fc.assert(
          fc.property(anyHistory, (history) => fc.modelRun(setup, history)),
          { numRuns },
        );
      });
    }
  }

  it("keeps the delay of a task in storage that ends at the time at which the task was made, before the clock was set back", () => {
    const queue = new QueueUnderTest(settings(), 0);
    queue.pass(5_000);
    queue.enqueue([aTask({ taskId: "a" })]);
    queue.pass(-3_000);
    const lease = queue.lease("coder")?.lease?.id ?? "";
    const park = () =>
      queue.change(({ parking }, nowMs) =>
        parking.park("a", lease, { why: "deploy?", question: "q", untilMs: nowMs + 3_000 }, nowMs),
      );
    expect(park()).toMatchObject({ ok: true });
    // Said again, the task is read from storage.
    expect(park()).toMatchObject({ ok: true });
    expect(queue.queue.find("a")?.state).toBe("delayed");
    expect(queue.queue.nextDueMs).toBe(5_000);
    expect(queue.lease("coder")).toBeUndefined();
    queue.pass(3_000);
    expect(queue.lease("coder")?.taskId).toBe("a");
  });

  it("gives out the most urgent first, and the oldest of those", () => {
    const queue = new QueueUnderTest(settings());
    for (const [id, priority] of [
      ["a", 5],
      ["b", 1],
      ["c", 5],
      ["d", 10],
      ["e", 1],
    ] as const) {
      queue.enqueue([aTask({ taskId: id, priority })]);
    }
    expect(Array.from({ length: 5 }, () => queue.lease("coder")?.taskId)).toEqual(["b", "e", "a", "c", "d"]);
  });

  it("gives tasks for anyone to whoever asks, in one order with the asker's own", () => {
    const queue = new QueueUnderTest(settings());
    queue.enqueue([
      aTask({ taskId: "any", recipient: "*" }),
      aTask({ taskId: "mine" }),
      aTask({ taskId: "urgent", priority: 1, recipient: "*" }),
    ]);
    expect(["urgent", "any", "mine"]).toEqual([1, 2, 3].map(() => queue.lease("coder")?.taskId));
    queue.enqueue([aTask({ taskId: "other", recipient: "tester" })]);
    expect(queue.lease("coder")).toBeUndefined();
  });

  it("agrees again to a completion that is sent again", () => {
    const queue = new QueueUnderTest(settings());
    queue.enqueue([aTask({ taskId: "a" })]);
    const lease = queue.lease("coder")?.lease?.id ?? "";
    expect(queue.complete("a", lease)).toEqual({ ok: true, status: "complete" });
    expect(queue.complete("a", lease)).toEqual({ ok: true, status: "complete" });
    expect(queue.complete("a", "1.99")).toEqual({ ok: false, reason: "finished" });
    expect(queue.complete("never", lease)).toEqual({ ok: false, reason: "unknown" });
  });

  it("keeps its place in the order when it is given back unused, and does not count the attempt", () => {
    const queue = new QueueUnderTest(settings());
    queue.enqueue([aTask({ taskId: "a" }), aTask({ taskId: "b" })]);
    const first = queue.lease("coder");
    queue.queue.releaseAll(first?.lease?.holder ?? "", queue.nowMs);
    const again = queue.lease("coder");
    expect([again?.taskId, again?.attempt]).toEqual(["a", 1]);
  });

  it("writes the first of the renewals of an hour alone, and does not take the task away when it starts anew between two of them", () => {
    const queue = new QueueUnderTest(DEFAULT_SETTINGS);
    queue.enqueue([aTask({ taskId: "a" })]);
    const lease = queue.lease("coder")?.lease?.id ?? "";
    const before = queue.written;
    for (let renewal = 1; renewal <= 360; renewal++) {
      queue.pass(10_000);
      expect(queue.extend("a", lease, 30_000)).toMatchObject({ ok: true });
    }
    expect(queue.written - before).toBe(1);
    queue.crash();
    queue.pass(10_000);
    expect(queue.extend("a", lease, 30_000)).toMatchObject({ ok: true });
    // The grace, and the renewal after it.
    expect(queue.written - before).toBeLessThanOrEqual(3);
  });

  it("gives a worker that is gone one grace, however often it starts anew", () => {
    const queue = new QueueUnderTest(DEFAULT_SETTINGS);
    queue.enqueue([aTask({ taskId: "a" })]);
    const lease = queue.lease("coder", 30_000)?.lease?.id ?? "";
    expect(queue.extend("a", lease, 30_000)).toMatchObject({ ok: true });
    for (let start = 0; start < 6; start++) {
      queue.crash();
      queue.pass(10_000);
    }
    expect(queue.lease("coder")).toMatchObject({ taskId: "a", attempt: 2 });
  });

  it("ends a lease that nobody renewed on time, also when it has started anew meanwhile", () => {
    const queue = new QueueUnderTest(DEFAULT_SETTINGS);
    queue.enqueue([aTask({ taskId: "a" })]);
    queue.lease("coder", 30_000);
    queue.crash();
    queue.pass(29_999);
    expect(queue.lease("coder")).toBeUndefined();
    queue.pass(1);
    expect(queue.lease("coder")).toMatchObject({ taskId: "a", attempt: 2 });
  });

  it("ends a task that runs longer than its limit, however often its lease is extended", () => {
    const queue = new QueueUnderTest(settings());
    queue.enqueue([aTask({ taskId: "a", timeoutMs: 5_000, maxAttempts: 1 })]);
    const lease = queue.lease("coder", 3_000)?.lease?.id ?? "";
    queue.pass(2_999);
    expect(queue.extend("a", lease, 3_000)).toMatchObject({ ok: true, expiresMs: 5_000 });
    queue.pass(2_000);
    expect(queue.extend("a", lease, 3_000)).toMatchObject({ ok: true, expiresMs: 5_000 });
    queue.pass(1);
    expect(queue.finished.get("a")).toMatchObject({
      outcome: "failed",
      error: "ran longer than its 5000 ms",
      ranMs: 5_000,
    });
  });

  it("lets go of what it knew about tasks that have left", () => {
    const queue = new QueueUnderTest(settings());
    for (let round = 0; round < 300; round++) {
      queue.enqueue([aTask({ taskId: `t${round}`, recipient: `r${round % 7}`, priority: 1 + (round % 10) })]);
      if (round % 3 !== 0) queue.cancel(`t${round}`);
    }
    while (["r0", "r1", "r2", "r3", "r4", "r5", "r6"].some((name) => queue.lease(name) !== undefined));
    queue.queue.releaseAll("worker", queue.nowMs);
    expect(queue.queue.size).toBe(100);
    expect(queue.queue.depths.queued).toBe(100);
    for (let round = 0; round < 300; round += 3) queue.cancel(`t${round}`);
    expect([...queue.queue.waitingRecipients]).toEqual([]);
    expect(queue.queue.depths.byRecipient.size).toBe(0);
    expect(queue.queue.nextDueMs).toBeUndefined();
  });
});

describe("the pause before another attempt", () => {
  it("doubles up to its limit and falls into the upper half", () => {
    const limits = { backoff_ms: 1_000, backoff_max_ms: 5_000 };
    expect([1, 2, 3, 4, 60].map((attempt) => retryDelayMs(attempt, limits, 0))).toEqual([
      500, 1_000, 2_000, 2_500, 2_500,
    ]);
    expect([1, 2, 3].map((attempt) => retryDelayMs(attempt, limits, 0.9999))).toEqual([999, 1_999, 3_999]);
  });
});
