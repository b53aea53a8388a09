import type { FinishedTask } from "../../../src/core/queue/task.ts";

export const START = Date.UTC(2026, 0, 31, 12);

/** A task that waited for 10 ms, and ran for 20. */
export const aTask = (more: Partial<FinishedTask> = {}): FinishedTask => ({
  seq: 1,
  taskId: "t1",
  recipient: "coder",
  type: "REVIEW",
  sender: null,
  priority: 5,
  createdMs: START,
  maxAttempts: 5,
  timeoutMs: null,
  deadlineAtMs: null,
  caller: null,
  cause: null,
  outcome: "complete",
  finishedMs: START + 30,
  attempt: 1,
  worker: "w",
  leaseId: "1.1",
  resultJson: '{"out":1}',
  error: null,
  waitedMs: 10,
  ranMs: 20,
  history: [
    { atMs: START, event: "queued" },
    { atMs: START + 10, event: "leased", attempt: 1, worker: "w" },
    { atMs: START + 30, event: "complete", attempt: 1, worker: "w" },
  ],
  ...more,
});
