import { evictDurableObject, runDurableObjectAlarm } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, describe, expect, it, vi } from "vitest";
import type { FileTaskRecord } from "../../../src/core/file-tasks/api.ts";
import { workerBoard } from "../../../src/workers/bindings/objects.ts";
import { call, freshEcosystem, problemOf } from "../api/calls.ts";
import { aSignal, follow, logOf } from "../log-under-test.ts";

afterEach(() => {
  vi.useRealTimers();
});

const base = (task_id: string, host: string) => ({ worker: "review", task_id, host, claim: `c-${task_id}` });
const started = (task_id: string, attempt = 1, host = "a") =>
  aSignal("Q_WORKER_TASK_STARTED", { ...base(task_id, host), attempt, timeout_ms: 1_000 });
const complete = (task_id: string, host = "a") =>
  aSignal("Q_WORKER_TASK_COMPLETE", { ...base(task_id, host), attempts: 1, duration_ms: 7, result: { n: 1 } });
const failed = (task_id: string, host = "a") =>
  aSignal("Q_WORKER_TASK_FAILED", { ...base(task_id, host), attempts: 3, error: "status 3" });

const boardOf = (eco: string) => workerBoard(env, eco);

async function report(eco: string, ...signals: ReturnType<typeof aSignal>[]): Promise<void> {
  await logOf(eco).append({ signals });
  await boardOf(eco).catchUp((await logOf(eco).status()).head_seq);
}

async function task(eco: string, id: string): Promise<FileTaskRecord[]> {
  const response = await call(`/v1/${eco}/workers/review/tasks/${id}`);
  return ((await response.json()) as { tasks: FileTaskRecord[] }).tasks;
}

describe("board of file tasks", () => {
  it("shows the state of a task, and the counts of the workers of each host", async () => {
    const eco = freshEcosystem();
    await report(eco, started("t1"), started("t2"), complete("t1"), started("t3", 1, "b"), failed("t3", "b"));
    expect(await task(eco, "t1")).toMatchObject([
      { status: "complete", host: "a", attempt: 1, duration_ms: 7, result: { n: 1 } },
    ]);
    expect(await task(eco, "t2")).toMatchObject([{ status: "running", attempt: 1 }]);
    expect(await task(eco, "t3")).toMatchObject([{ status: "failed", error: "status 3", attempt: 3 }]);
    const response = await call(`/v1/${eco}/workers`);
    expect(await response.json()).toMatchObject({
      workers: [
        { worker: "review", host: "a", running: 1, overdue: 0, complete: 1, failed: 0 },
        { worker: "review", host: "b", running: 0, complete: 0, failed: 1, last_error: "status 3" },
      ],
    });
  });

  it("keeps the state of a finished task when reports come late", async () => {
    const eco = freshEcosystem();
    await report(eco, complete("t1"), started("t1"), failed("t1"), started("t1", 2, "b"));
    expect(await task(eco, "t1")).toMatchObject([{ status: "complete", host: "a" }]);
  });

  it("emits one signal for an overdue attempt, also after an eviction, and accepts a late end", async () => {
    const eco = freshEcosystem();
    const stream = await follow(eco, ["Q_WORKER_TASK_TIMEOUT"]);
    await report(eco, started("t1"), started("t2"));
    await evictDurableObject(boardOf(eco));
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 62_000 });
    await boardOf(eco).workers();
    await runDurableObjectAlarm(boardOf(eco));
    const timeouts = [await stream.next(), await stream.next()];
    expect(timeouts.map(({ facts }) => facts.task_id).sort()).toEqual(["t1", "t2"]);
    await runDurableObjectAlarm(boardOf(eco));
    await report(eco, complete("t1"), started("t2", 2, "b"));
    expect(stream.waiting).toEqual([]);
    expect(await task(eco, "t1")).toMatchObject([{ status: "complete" }]);
    expect(await task(eco, "t2")).toMatchObject([{ status: "running", attempt: 2, host: "b" }]);
    expect(await boardOf(eco).workers()).toMatchObject([
      { host: "a", running: 0, overdue: 0, complete: 1, timed_out: 2 },
      { host: "b", running: 1 },
    ]);
  });

  it("has the same state after a rebuild from the log", async () => {
    const eco = freshEcosystem();
    await report(eco, started("t1"), complete("t1"), started("t2"), failed("t3"));
    const before = [await boardOf(eco).workers(), await task(eco, "t1"), await task(eco, "t2"), await task(eco, "t3")];
    await boardOf(eco).rebuild();
    expect([await boardOf(eco).workers(), await task(eco, "t1"), await task(eco, "t2"), await task(eco, "t3")]).toEqual(
      before,
    );
  });

  it("answers 404 for a task that no host has reported", async () => {
    const response = await call(`/v1/${freshEcosystem()}/workers/review/tasks/none`);
    expect(response.status).toBe(404);
    expect((await problemOf(response)).detail).toBe(
      'No host has reported a task "none" of the worker "review". List workers: GET /v1/{eco}/workers',
    );
  });
});
