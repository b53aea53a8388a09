import { describe, expect, it } from "vitest";
import {
  packFinished,
  packProgress,
  packTerms,
  readStoredFinishedTask,
  readStoredTask,
} from "../../../src/core/queue/stored-task.ts";
import type { FinishedTask, Task } from "../../../src/core/queue/task.ts";

const terms = {
  seq: 7,
  taskId: "a",
  recipient: "coder",
  type: "BUG_REPORT",
  sender: "planner",
  priority: 2,
  createdMs: 1_000,
  maxAttempts: 5,
  timeoutMs: null,
  deadlineAtMs: 9_000,
  caller: null,
  cause: { id: "s1.abc", trace: "00-1-2-01", depth: 3 },
} as const;
const history = [
  { atMs: 1_000, event: "queued" },
  { atMs: 1_500, event: "retry", attempt: 1, worker: "w", error: "no disk" },
] as const;
const task: Task = {
  ...terms,
  readyMs: 2_000,
  attempt: 1,
  leases: 2,
  lease: {
    id: "7.2",
    holder: "h",
    worker: "w",
    startedMs: 2_000,
    expiresMs: 3_000,
    storedMs: 3_000,
    grantMs: 1_000,
    graced: true,
  },
  waitedMs: 500,
  ranMs: 20,
  history,
  payloadJson: undefined,
};
const finished: FinishedTask = {
  ...terms,
  outcome: "failed",
  finishedMs: 4_000,
  attempt: 5,
  worker: "w",
  leaseId: "7.6",
  resultJson: null,
  error: "no disk",
  waitedMs: 500,
  ranMs: 20,
  history,
};

describe("the stored form of a task", () => {
  it("keeps every field of an unfinished task", () => {
    expect(readStoredTask(7, packTerms(task), packProgress(task))).toEqual(task);
  });

  it("keeps every field of a finished task", () => {
    expect(readStoredFinishedTask(packFinished(finished))).toEqual(finished);
  });

  it("is as short as its values: no names, no trailing nulls", () => {
    expect(packTerms({ ...terms, deadlineAtMs: null, cause: null })).toBe(
      '["a","coder","BUG_REPORT","planner",2,1000,5]',
    );
    expect(packProgress({ ...task, lease: null, history: [{ atMs: 1_000, event: "queued" }] })).toBe(
      '[[2000,1,2,500,20],null,[[1000,"queued"]]]',
    );
  });

  it("reads rows from before a task had a cause, with their nulls written out", () => {
    const old = '["a","coder","BUG_REPORT",null,2,1000,5,null,null,null]';
    expect(readStoredTask(7, old, '[[1000,0,0,0,0],null,[[1000,"queued",null,null,null]]]')).toEqual({
      ...task,
      sender: null,
      deadlineAtMs: null,
      cause: null,
      readyMs: 1_000,
      attempt: 0,
      leases: 0,
      lease: null,
      waitedMs: 0,
      ranMs: 0,
      history: [{ atMs: 1_000, event: "queued" }],
    });
  });

  it("names the field that cannot be a task's", () => {
    const read = (text: string) => () => readStoredTask(7, text, packProgress(task));
    expect(read('[4,"coder"]')).toThrow("a stored task is not readable: taskId is 4");
    expect(read('["a","coder","X",null,"high"]')).toThrow('a stored task is not readable: priority is "high"');
    expect(() => readStoredFinishedTask(packFinished({ ...finished, outcome: "lost" as "failed" }))).toThrow("outcome");
  });
});
