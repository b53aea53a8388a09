import { describe, expect, it } from "vitest";
import { startEdge } from "./fake-edge.ts";
import { ganglion } from "./ganglion.ts";

const worker = {
  worker: "review",
  host: "a",
  running: 1,
  overdue: 0,
  complete: 7,
  failed: 2,
  timed_out: 0,
  last_at: "2026-01-01T00:00:00.000Z",
  last_error: "status 3",
};
const task = {
  worker: "review",
  task_id: "t1",
  claim: "c1",
  status: "complete",
  host: "a",
  attempt: 1,
  started_at: "2026-01-01T00:00:00.000Z",
  due_at: "2026-01-01T00:11:00.000Z",
  duration_ms: 7,
  result: { n: 1 },
};

describe("ganglion workers", () => {
  it("shows the counts of the workers of each host", async () => {
    const edge = await startEdge(() => [200, { workers: [worker] }]);
    const { out } = await ganglion(["workers", "--url", edge.url]);
    expect(out).toMatch(/^WORKER +HOST +RUNNING/);
    expect(out).toMatch(/^review +a +1 +0 +7 +2 +0 +2026-01-01T00:00:00.000Z +status 3$/m);
    expect(JSON.parse((await ganglion(["workers", "--json", "--url", edge.url])).out)).toEqual(worker);
  });
});

describe("ganglion workers, with a name", () => {
  it("shows the health of the worker on each host, with the age of its heartbeat", async () => {
    const host = { ...worker, health: "healthy", heartbeat_at: worker.last_at, heartbeat_age_ms: 4_400 };
    const edge = await startEdge(() => [200, { worker: "review", hosts: [host] }]);
    const { out } = await ganglion(["workers", "review", "--url", edge.url]);
    expect(out).toMatch(/^a +healthy +4 +1 +0 +7 +2 +status 3$/m);
    expect(edge.received[0]?.url.pathname).toBe("/v1/default/workers/review");
    expect(JSON.parse((await ganglion(["workers", "review", "--json", "--url", edge.url])).out)).toEqual(host);
  });
});

describe("ganglion task-status", () => {
  it("shows the state of a file task", async () => {
    const edge = await startEdge(() => [200, { tasks: [task] }]);
    const { out } = await ganglion(["task-status", "review", "t1", "--url", edge.url]);
    expect(out).toMatch(/^status +complete$/m);
    expect(out).toMatch(/^result +{"n":1}$/m);
    expect(out).not.toMatch(/due_at/);
    expect(edge.received[0]?.url.pathname).toBe("/v1/default/workers/review/tasks/t1");
    expect(JSON.parse((await ganglion(["task-status", "review", "t1", "--json", "--url", edge.url])).out)).toEqual(
      task,
    );
  });
});
