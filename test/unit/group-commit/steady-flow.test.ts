import { describe, expect, it } from "vitest";
import { SteadyFlow } from "../../../src/core/group-commit/steady-flow.ts";
import { TokenBucket } from "../../../src/core/group-commit/token-bucket.ts";

const SECOND_MS = 1_000;
const GROUPS = { capacity: 200, perSecond: 20 };

/** Items as they come, each of a sender. @returns groups in each second */
function groupsPerSecond(seconds: number, arrivals: (atMs: number) => readonly string[]): number[] {
  const flow = new SteadyFlow(GROUPS);
  const groups = Array.from({ length: seconds }, () => 0);
  let waiting: string[] = [];
  let dueMs = Number.POSITIVE_INFINITY;
  for (let nowMs = SECOND_MS; nowMs < (seconds + 1) * SECOND_MS; nowMs++) {
    for (const sender of arrivals(nowMs)) {
      const waitMs = flow.waitMs(sender, nowMs);
      waiting.push(sender);
      dueMs = Math.min(dueMs, nowMs + waitMs);
    }
    if (nowMs < dueMs) continue;
    flow.written(waiting, nowMs);
    waiting = [];
    dueMs = Number.POSITIVE_INFINITY;
    const second = Math.floor(nowMs / SECOND_MS) - 1;
    groups[second] = (groups[second] ?? 0) + 1;
  }
  return groups;
}

describe("a flow of many senders", () => {
  it("is written in twenty groups a second, once it has lasted", () => {
    // Fifty hosts, each once a second.
    const groups = groupsPerSecond(60, (atMs) => (atMs % 20 === 0 ? [`host-${(atMs / 20) % 50}`] : []));
    expect(groups[0]).toBe(50);
    for (const count of groups.slice(20)) expect(count).toBeLessThanOrEqual(21);
  });

  it("is written item by item, where there are fewer than twenty a second", () => {
    const groups = groupsPerSecond(60, (atMs) => (atMs % 100 === 0 ? [`host-${(atMs / 100) % 50}`] : []));
    expect(new Set(groups)).toEqual(new Set([10]));
  });

  it("lets an item wait for 50 ms at most", () => {
    const flow = new SteadyFlow(GROUPS);
    for (let n = 0; n < 1_000; n++) flow.written(["a"], SECOND_MS);
    expect(flow.waitMs("b", SECOND_MS)).toBeLessThanOrEqual(50);
    expect(flow.waitMs("b", SECOND_MS)).toBeGreaterThan(0);
  });

  it("writes the first items at once again after a pause", () => {
    const flow = new SteadyFlow(GROUPS);
    for (let n = 0; n < 1_000; n++) flow.written(["a"], SECOND_MS);
    for (let n = 0; n < 100; n++) {
      expect(flow.waitMs("b", 11 * SECOND_MS)).toBe(0);
      flow.written(["b"], 11 * SECOND_MS);
    }
  });
});

describe("a sender that waits for each answer", () => {
  it("is not held up, however many of its items there are", () => {
    const flow = new SteadyFlow(GROUPS);
    let nowMs = SECOND_MS;
    let waited = 0;
    for (let n = 0; n < 5_000; n++) {
      const waitMs = flow.waitMs("a", nowMs);
      waited += waitMs;
      nowMs += waitMs + 1;
      flow.written(["a"], nowMs);
    }
    // A few waits, until the sender is known for what it is.
    expect(waited).toBeLessThan(500);
  });
});

describe("a bucket of tokens", () => {
  it("holds its capacity at first, and gains tokens at its rate", () => {
    const bucket = new TokenBucket({ capacity: 2, perSecond: 4 });
    bucket.take(SECOND_MS);
    bucket.take(SECOND_MS);
    expect(bucket.waitMs(SECOND_MS)).toBe(250);
    expect(bucket.waitMs(SECOND_MS + 250)).toBe(0);
  });

  it("holds no more than its capacity after a pause, and is not upset by a clock that is set back", () => {
    const bucket = new TokenBucket({ capacity: 1, perSecond: 1 });
    bucket.take(100 * SECOND_MS);
    expect(bucket.waitMs(50 * SECOND_MS)).toBe(1_000);
    expect(bucket.waitMs(500 * SECOND_MS)).toBe(0);
    bucket.take(500 * SECOND_MS);
    expect(bucket.waitMs(500 * SECOND_MS)).toBe(1_000);
  });
});
