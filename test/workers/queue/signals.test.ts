import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { describe, expect, it, vi } from "vitest";
import { freshEcosystem } from "../api/calls.ts";
import { deadLettersUnderTest } from "../dead-letters/dead-letters-under-test.ts";
import { allOf, follow } from "../log-under-test.ts";
import { patience } from "../patience.ts";
import { aTask, queueOver, queueStub } from "./queue-under-test.ts";

describe("a queue's signals", () => {
  it("report each end of a task once, where the queue's settings ask for them", async () => {
    const ecosystem = freshEcosystem();
    const queue = queueOver(ecosystem);
    await queue.configure({ signal_complete: true, signal_failed: true });
    const follower = await follow(ecosystem, ["Q_TASK_*"]);
    await queue.put([aTask({ task_id: "good", sender: "planner" }), aTask({ task_id: "bad", max_attempts: 1 })]);
    const [good, bad] = await queue.lease("coder", { max: 2, worker: "gpu-01" });
    await queue.act("good", "complete", { lease_id: good?.lease_id, result: { ok: true } });
    expect(await follower.next()).toMatchObject({
      signal: "Q_TASK_COMPLETE",
      source: "ganglion/queue/work",
      facts: { queue: "work", task_id: "good", sender: "planner", worker: "gpu-01", attempts: 1, result: { ok: true } },
    });
    await evictDurableObject(queueStub(ecosystem));
    await queue.act("bad", "fail", { lease_id: bad?.lease_id, error: "no disk" });
    expect(await follower.next()).toMatchObject({
      signal: "Q_TASK_FAILED",
      facts: { task_id: "bad", error: "no disk", outcome: "failed" },
    });
    // Signals that are delivered again after a crash are recognised: the alarm delivers no more.
    await runDurableObjectAlarm(queueStub(ecosystem));
    expect((await allOf(ecosystem)).map(({ signal }) => signal)).toEqual(["Q_TASK_COMPLETE", "Q_TASK_FAILED"]);
  });

  it("continue the chain of causes of the task, also after retries and a replay", async () => {
    const ecosystem = freshEcosystem();
    const queue = queueOver(ecosystem);
    await queue.configure({ signal_complete: true, signal_failed: true });
    const follower = await follow(ecosystem, ["Q_TASK_*"]);
    const trace = "00-0123456789abcdef0123456789abcdef-0123456789abcdef-01";
    await queue.put([
      aTask({ task_id: "t", max_attempts: 1, cause: "s1.abc", trace, depth: 3 }),
      aTask({ task_id: "alone", priority: 9, depth: 5 }),
    ]);
    const [first] = await queue.lease("coder");
    expect(first).toMatchObject({ cause: "s1.abc", trace, depth: 3 });
    await evictDurableObject(queueStub(ecosystem));
    await queue.act("t", "fail", { lease_id: first?.lease_id, error: "no disk" });
    const failed = await follower.next();
    expect(failed).toMatchObject({ signal: "Q_TASK_FAILED", cause: "s1.abc", depth: 3 });
    expect(failed.trace).toMatch(/^00-0123456789abcdef0123456789abcdef-(?!0123456789abcdef)[0-9a-f]{16}-01$/);
    const letters = deadLettersUnderTest(ecosystem);
    await expect
      .poll(() => letters.list("?kind=task"), patience)
      .toMatchObject([{ task: { cause: "s1.abc", trace, depth: 3 } }]);
    await letters.replay((await letters.list("?kind=task"))[0]?.id ?? "");
    const [again] = await queue.lease("coder", { max: 1 });
    expect(again).toMatchObject({ task_id: "t", cause: "s1.abc", depth: 3 });
    await queue.act("t", "complete", { lease_id: again?.lease_id });
    expect(await follower.next()).toMatchObject({ signal: "Q_TASK_COMPLETE", cause: "s1.abc", depth: 3 });
    // Without a cause there is no chain that a depth could be the length of.
    const [alone] = await queue.lease("coder");
    expect(alone).not.toHaveProperty("depth");
    await queue.act("alone", "complete", { lease_id: alone?.lease_id });
    expect(await follower.next()).not.toHaveProperty("cause");
  });

  it("raise and resolve an alert once, across an eviction", async () => {
    const ecosystem = freshEcosystem();
    const queue = queueOver(ecosystem);
    await queue.configure({ alert_depth: 3 });
    const follower = await follow(ecosystem, ["Q_QUEUE_ALERT"]);
    await queue.put(Array.from({ length: 4 }, () => aTask()));
    const raised = await follower.next();
    expect(raised.facts).toMatchObject({
      queue: "work",
      rule: "queue_deep",
      state: "raised",
      severity: "critical",
      value: 4,
      limit: 3,
      title: "Queue work: too many tasks wait",
      text: "4 tasks wait; the limit is 3.",
    });
    await evictDurableObject(queueStub(ecosystem));
    await queue.put(aTask());
    expect(await queue.status()).toMatchObject({
      alerts: [{ rule: "queue_deep" }],
      by_level: { high: 0, normal: 5, low: 0 },
    });
    await queue.lease("coder", { max: 5 });
    expect((await follower.next()).facts).toMatchObject({
      rule: "queue_deep",
      state: "resolved",
      title: "Queue work: over: too many tasks wait",
      raised_at: raised.facts.raised_at,
    });
    expect(await allOf(ecosystem)).toHaveLength(2);
  });

  it("raise an alert once for a task that runs too long without any event, and resolve it afterwards", async () => {
    const ecosystem = freshEcosystem();
    const queue = queueOver(ecosystem);
    const follower = await follow(ecosystem, ["Q_QUEUE_ALERT"]);
    await queue.put(aTask({ task_id: "a", type: "BUG_REPORT" }));
    const [leased] = await queue.lease("coder", { lease_ms: 3_600_000 });
    const begun = Date.now();
    const alarmAt = () => runInDurableObject(queueStub(ecosystem), (_, { storage }) => storage.getAlarm());
    vi.useFakeTimers({ toFake: ["Date"] });
    try {
      vi.setSystemTime(begun + 31_000);
      await runDurableObjectAlarm(queueStub(ecosystem));
      expect(await alarmAt()).toBeLessThanOrEqual(begun + 60_001);
      await evictDurableObject(queueStub(ecosystem));
      vi.setSystemTime(begun + 60_001);
      await runDurableObjectAlarm(queueStub(ecosystem));
      const raised = await follower.next();
      expect(raised.facts).toMatchObject({ rule: "task_slow", subject: "coder/BUG_REPORT", state: "raised" });
      // Ten minutes without another slow task would end it; this one runs still.
      vi.setSystemTime(begun + 1_000_000);
      await runDurableObjectAlarm(queueStub(ecosystem));
      expect(await queue.status()).toMatchObject({ alerts: [{ rule: "task_slow" }] });
      await queue.act("a", "complete", { lease_id: leased?.lease_id });
      vi.setSystemTime(begun + 1_000_000 + 600_001);
      await runDurableObjectAlarm(queueStub(ecosystem));
      expect((await follower.next()).facts).toMatchObject({ rule: "task_slow", state: "resolved" });
      expect(await allOf(ecosystem)).toHaveLength(2);
    } finally {
      vi.useRealTimers();
    }
  });

  it("raise an alert for more than five failed tasks, remembered across evictions", async () => {
    const ecosystem = freshEcosystem();
    const queue = queueOver(ecosystem);
    const follower = await follow(ecosystem, ["Q_QUEUE_ALERT"]);
    for (let n = 0; n < 6; n++) {
      await queue.put(aTask({ task_id: `t${n}` }));
      const [leased] = await queue.lease("coder");
      await queue.act(`t${n}`, "fail", { lease_id: leased?.lease_id, error: "no", retry: false });
      if (n === 3) await evictDurableObject(queueStub(ecosystem));
    }
    expect((await follower.next()).facts).toMatchObject({ rule: "tasks_failing", state: "raised", value: 6 });
  });

  it("keep statistics across an eviction once an alarm has written them", async () => {
    const ecosystem = freshEcosystem();
    const queue = queueOver(ecosystem);
    await queue.put(aTask({ task_id: "a" }));
    const [leased] = await queue.lease("coder");
    await queue.act("a", "complete", { lease_id: leased?.lease_id });
    await vi.waitFor(async () => expect(await runDurableObjectAlarm(queueStub(ecosystem))).toBe(true), patience);
    await evictDurableObject(queueStub(ecosystem));
    expect(await queue.status()).toMatchObject({
      by_recipient: { coder: { complete: 1, p50_ms: expect.any(Number) } },
    });
  });
});
