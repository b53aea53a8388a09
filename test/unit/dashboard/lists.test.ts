import { describe, expect, test } from "vitest";
import { actOnEach, type Progress } from "../../../dashboard/parts/act-on-each.ts";
import { wantedTasks } from "../../../dashboard/queues/task-filter.ts";
import { loadTasks } from "../../../dashboard/queues/task-pages.ts";
import type { TaskView } from "../../../src/core/queue/api.ts";

const task = (change: Partial<TaskView>): TaskView => ({
  task_id: "t1",
  recipient: "coder",
  type: "build",
  sender: null,
  priority: 5,
  created_at: "2026-01-31T12:00:00.000Z",
  max_attempts: 3,
  timeout_ms: null,
  deadline_at: null,
  status: "queued",
  attempt: 0,
  waited_ms: 0,
  ran_ms: 0,
  history: [],
  payload: { branch: "main" },
  ...change,
});

describe("the tasks of a queue", () => {
  test("are found by any text of their payload, whatever its case", () => {
    const tasks = [task({}), task({ task_id: "t2", payload: { deep: [{ branch: "Feature-7" }] } })];
    expect(wantedTasks(tasks, { text: "feature-7", status: "" }).map(({ task_id }) => task_id)).toEqual(["t2"]);
  });

  test("are found by how they stand, and by how they ended", () => {
    const tasks = [task({}), task({ task_id: "t2", status: "failed", outcome: "expired" })];
    expect(wantedTasks(tasks, { text: "", status: "failed" })).toHaveLength(1);
    expect(wantedTasks(tasks, { text: "", status: "expired" })).toHaveLength(1);
    expect(wantedTasks(tasks, { text: "", status: "complete" })).toHaveLength(0);
  });
});

describe("pages of tasks", () => {
  const calls = {
    tasks: async ({ after = 0 }) => ({ tasks: [task({ task_id: `t${after}` })], next: after < 2 ? after + 1 : null }),
    finished: async (query: object) => ({ tasks: [task({ task_id: JSON.stringify(query) })], next: null }),
  };
  const load = (wanted: Parameters<typeof loadTasks>[2]) =>
    loadTasks(
      { tasks: (_, query = {}) => calls.tasks(query), finished: (_, query = {}) => calls.finished(query) },
      "q",
      wanted,
    );

  test("are read one after the other, as many as somebody wants, and it is said whether there are more", async () => {
    const two = await load({ status: "", text: "", pages: 2 });
    expect([two.tasks.map(({ task_id }) => task_id), two.more]).toEqual([["t0", "t1"], true]);
    expect((await load({ status: "", text: "", pages: 9 })).more).toBe(false);
  });

  test("of tasks that ended are asked for by how they ended, and searched by the edge", async () => {
    const { tasks } = await load({ status: "failed", text: " exit 1 ", pages: 1 });
    expect(tasks[0]?.task_id).toBe('{"state":"failed","limit":200,"text":"exit 1"}');
  });
});

describe("an action on many items", () => {
  test("acts on each once, says how far it is, and goes on after one that fails", async () => {
    const acted: number[] = [];
    const seen: Progress[] = [];
    const act = async (item: number) => {
      acted.push(item);
      if (item === 3) throw new Error("refused");
    };
    const items = [1, 2, 3, 4, 5, 6, 7];
    const end = await actOnEach(items, String, act, (progress) => seen.push(progress));
    expect(acted.sort()).toEqual(items);
    expect(end).toEqual({ done: 6, all: 7, failed: [{ id: "3", why: "refused" }] });
    expect(seen).toHaveLength(7);
  });

  test("makes a few calls at a time", async () => {
    let [now, most] = [0, 0];
    const act = async () => {
      most = Math.max(most, ++now);
      await Promise.resolve();
      now--;
    };
    await actOnEach(
      Array.from({ length: 50 }, (_, place) => place),
      String,
      act,
      () => undefined,
    );
    expect(most).toBe(4);
  });
});
