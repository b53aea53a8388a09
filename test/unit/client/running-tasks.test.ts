import { describe, expect, it } from "vitest";
import type { LockOptions } from "../../../src/client/locks/acquire-waiting.ts";
import { RunningTasks } from "../../../src/client/work/running-tasks.ts";
import { type TaskHandler, TaskReleased } from "../../../src/client/work/task-handler.ts";
import type { LeasedTask } from "../../../src/core/queue/api.ts";
import type { OutgoingWorkerFrame } from "../../../src/core/queue/work-frames.ts";

const leased = (task_id: string): LeasedTask => ({
  task_id,
  lease_id: `${task_id}.1`,
  recipient: "coder",
  type: "X",
  priority: 5,
  attempt: 1,
  sender: null,
  lease_expires_at: "2026-01-31T12:00:00.000Z",
  payload: task_id,
});

function start(handler: TaskHandler) {
  const sent: OutgoingWorkerFrame[] = [];
  const remarks: string[] = [];
  const locked: { name: string; options: LockOptions }[] = [];
  const tasks = new RunningTasks({
    handler,
    owner: "coder",
    withLock: async (name, options, work) => {
      locked.push({ name, options });
      return work({ name, fence: 7, signal: new AbortController().signal, release: async () => undefined });
    },
    leaseMs: 300,
    send: (frame) => sent.push(frame),
    onProgress: () => undefined,
    onRemark: (text) => remarks.push(text),
  });
  return {
    tasks,
    sent,
    remarks,
    locked,
    give: (...names: string[]) => tasks.handle({ type: "tasks", tasks: names.map(leased) }),
  };
}

describe("a worker's running tasks", () => {
  it("keep a report until the queue confirms it", async () => {
    const { tasks, sent, give } = start(() => "done");
    give("a", "b");
    await expect.poll(() => sent.length).toBe(2);
    expect([tasks.running, tasks.unconfirmed]).toEqual([0, 2]);
    tasks.handle({ type: "done", tasks: [{ task_id: "a", lease_id: "a.1", status: "complete" }] });
    sent.length = 0;
    tasks.resendReports();
    expect(sent).toEqual([{ type: "complete", tasks: [{ task_id: "b", lease_id: "b.1", result: "done" }] }]);
  });

  it("take the confirmation of an extension for no confirmation of a report", async () => {
    const { tasks, sent, give } = start(() => "done");
    give("a");
    await expect.poll(() => sent.length).toBe(1);
    tasks.handle({ type: "done", tasks: [{ task_id: "a", lease_id: "a.1", status: "running" }] });
    expect(tasks.unconfirmed).toBe(1);
  });

  it("renew the leases of the running handlers, and of no others", async () => {
    const { tasks, sent, give } = start(({ payload }) => (payload === "slow" ? new Promise(() => {}) : "done"));
    tasks.renewLeases();
    give("slow", "quick");
    await expect.poll(() => sent.length).toBe(1);
    sent.length = 0;
    tasks.renewLeases();
    expect(sent).toEqual([{ type: "extend", tasks: [{ task_id: "slow", lease_id: "slow.1", lease_ms: 300 }] }]);
  });

  it("abort a cancelled task and send no report of it", async () => {
    const { tasks, sent, give } = start(
      (_, { signal }) => new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason))),
    );
    give("a");
    tasks.handle({ type: "cancel", tasks: [{ task_id: "a", lease_id: "a.1", reason: "cancelled" }] });
    await expect.poll(() => tasks.running).toBe(0);
    expect([sent, tasks.unconfirmed]).toEqual([[], 0]);
  });

  it("release a task whose handler gives it back, and tasks that come after the end of accepting", async () => {
    const { tasks, sent, give } = start(() => {
      throw new TaskReleased("busy");
    });
    give("a");
    await expect.poll(() => sent.length).toBe(1);
    tasks.stopAccepting();
    give("late");
    expect(sent).toEqual(
      ["a", "late"].map((name) => ({ type: "release", tasks: [{ task_id: name, lease_id: `${name}.1` }] })),
    );
  });

  it("lock in the name of their attempt and for their task, until the task is cancelled", async () => {
    const { tasks, locked, sent, give } = start((_, { withLock }) =>
      withLock("tree:/srv/app", { ttlMs: 5_000 }, ({ fence }) => fence),
    );
    give("a");
    await expect.poll(() => sent.length).toBe(1);
    expect(sent).toEqual([{ type: "complete", tasks: [{ task_id: "a", lease_id: "a.1", result: 7 }] }]);
    expect(locked).toMatchObject([{ name: "tree:/srv/app", options: { owner: "coder/a.1", ttlMs: 5_000, task: "a" } }]);
    expect(locked[0]?.options.signal?.aborted).toBe(false);
    const held = start((_, { withLock }) => withLock("b", { owner: "me" }, () => new Promise(() => {})));
    held.give("b");
    held.tasks.handle({ type: "cancel", tasks: [{ task_id: "b", lease_id: "b.1", reason: "cancelled" }] });
    expect(held.locked).toMatchObject([{ options: { owner: "me", ttlMs: 30_000, task: "b" } }]);
    expect(held.locked[0]?.options.signal?.aborted).toBe(true);
    expect(tasks.running).toBe(0);
  });

  it("send reports again that an overloaded queue refused", async () => {
    const { tasks, sent, remarks, give } = start(() => "done");
    give("a");
    await expect.poll(() => sent.length).toBe(1);
    const problem = { type: "/problems/overloaded", title: "The queue is overloaded", status: 503 };
    tasks.handle({ type: "refused", batch: null, problem, retry_after_ms: 1 });
    await expect.poll(() => sent.length).toBe(2);
    expect(sent[1]).toEqual(sent[0]);
    expect(remarks).toEqual(["the queue refused a frame: The queue is overloaded"]);
  });

  it("send only those reports again that an overloaded queue names", async () => {
    const { tasks, sent, give } = start(() => "done");
    give("a", "b");
    await expect.poll(() => sent.length).toBe(2);
    const problem = { type: "/problems/overloaded", title: "The queue is overloaded", status: 503 };
    const refused = [{ task_id: "b", lease_id: "b.1" }];
    tasks.handle({ type: "refused", batch: null, frame: "complete", tasks: refused, problem, retry_after_ms: 1 });
    await expect.poll(() => sent.length).toBe(3);
    expect(sent[2]).toEqual(sent[1]);
  });

  it("fail a task for good whose result the queue refuses for good, instead of keeping the result for ever", async () => {
    const { tasks, sent, give } = start(() => "done");
    give("a", "b");
    await expect.poll(() => sent.length).toBe(2);
    const problem = { type: "/problems/too-large", title: "The message is larger than 1 MiB", status: 413 };
    const refused = [{ task_id: "a", lease_id: "a.1" }];
    tasks.handle({ type: "refused", batch: null, frame: "complete", tasks: refused, problem });
    expect(sent[2]).toEqual({
      type: "fail",
      tasks: [
        {
          task_id: "a",
          lease_id: "a.1",
          error: "the queue refused the result: The message is larger than 1 MiB",
          retry: false,
        },
      ],
    });
    tasks.handle({ type: "refused", batch: null, frame: "fail", tasks: refused, problem });
    expect([sent.length, tasks.unconfirmed]).toEqual([3, 1]);
  });
});
