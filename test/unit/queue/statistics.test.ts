import { describe, expect, it } from "vitest";
import { findBottlenecks } from "../../../src/core/queue/bottlenecks.ts";
import { PERIOD_MS, Statistics } from "../../../src/core/queue/statistics.ts";
import type { FinishedTask } from "../../../src/core/queue/task.ts";

const START = Date.UTC(2026, 0, 31, 12);
const finished = (more: Partial<FinishedTask>): FinishedTask => ({
  seq: 1,
  taskId: "t",
  recipient: "coder",
  type: "BUG_REPORT",
  sender: null,
  priority: 5,
  createdMs: START,
  maxAttempts: 5,
  timeoutMs: null,
  deadlineAtMs: null,
  caller: null,
  cause: null,
  outcome: "complete",
  finishedMs: START + 1,
  attempt: 1,
  worker: "w",
  leaseId: "1.1",
  resultJson: null,
  error: null,
  waitedMs: 10,
  ranMs: 100,
  history: [],
  ...more,
});

describe("a queue's statistics", () => {
  it("keep the hundred slowest, slowest first, and not the fastest", () => {
    const statistics = new Statistics(undefined, START);
    for (let n = 0; n < 300; n++) statistics.add(finished({ taskId: `t${n}`, ranMs: (n * 7_919) % 300 }));
    const slowest = statistics.slowest(1_000).map(({ ran_ms }) => ran_ms);
    expect(slowest).toEqual(Array.from({ length: 100 }, (_, place) => 299 - place));
  });

  it("tell waiting and running apart, by recipient and type", () => {
    const statistics = new Statistics(undefined, START);
    for (let n = 1; n <= 100; n++) statistics.add(finished({ waitedMs: n, ranMs: 10 * n }));
    statistics.add(finished({ recipient: "tester", outcome: "failed", waitedMs: 5_000, ranMs: 1 }));
    const { series } = findBottlenecks(statistics, 10, START + 1);
    expect(series.map(({ recipient, tasks }) => [recipient, tasks])).toEqual([
      ["coder", 100],
      ["tester", 1],
    ]);
    expect(series[0]).toMatchObject({ mean_ms: 505, waiting_mean_ms: 51 });
    expect(series[0]?.p95_ms).toBeGreaterThan(930);
    expect(series[0]?.p95_ms).toBeLessThan(970);
    expect(series[0]?.waiting_p50_ms).toBeGreaterThanOrEqual(49);
    expect(series[0]?.waiting_p50_ms).toBeLessThanOrEqual(51);
  });

  it("name what holds things up, how much of the time, and compared with when", () => {
    const statistics = new Statistics(undefined, START);
    for (let n = 0; n < 20; n++) statistics.add(finished({ waitedMs: 100, ranMs: 10 }));
    const next = START + PERIOD_MS;
    for (let n = 0; n < 20; n++) statistics.add(finished({ finishedMs: next, waitedMs: 400, ranMs: 10 }));
    for (let n = 0; n < 20; n++)
      statistics.add(finished({ recipient: "tester", finishedMs: next, waitedMs: 1, ranMs: 9 }));
    expect(findBottlenecks(statistics, 10, next).summary).toMatch(
      /^coder, BUG_REPORT: 98 % of all time since 13:00 UTC, 98 % of it waiting for a worker \(p95 \d+ ms, (3\.9|4|4\.1) times that of the hour from 12:00\)$/,
    );
    expect(findBottlenecks(new Statistics(undefined, START), 10, START).summary).toBeNull();
  });

  it("are the same after they were written and read", () => {
    const statistics = new Statistics(undefined, START);
    for (let n = 0; n < 50; n++) statistics.add(finished({ taskId: `t${n}`, type: `T${n % 3}`, ranMs: n }));
    const again = new Statistics(JSON.parse(JSON.stringify(statistics)), START);
    expect(findBottlenecks(again, 10, START + 2)).toEqual(findBottlenecks(statistics, 10, START + 2));
  });
});
