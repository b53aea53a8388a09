import { describe, expect, it } from "vitest";
import { AlertTracker } from "../../../src/core/queue/alert-tracker.ts";
import { DEFAULT_SETTINGS } from "../../../src/core/queue/queue-settings.ts";

const settings = DEFAULT_SETTINGS;
const kind = (p95Ms: number, tasks = 20) => ({ depth: 0, kinds: [{ subject: "coder/BUG_REPORT", tasks, p95Ms }] });

describe("the alerts of a queue", () => {
  it("tell once that it is deep and once that it is not, without flapping at the threshold", () => {
    const tracker = new AlertTracker();
    const states = [100, 101, 500, 99, 101, 81, 80, 100].map((depth, ms) => tracker.check({ depth }, settings, ms));
    expect(states.map((changes) => changes.map(({ state }) => state))).toEqual([
      [],
      ["raised"],
      [],
      [],
      [],
      [],
      ["resolved"],
      [],
    ]);
    expect(states[1]?.[0]).toMatchObject({ rule: "queue_deep", severity: "critical", value: 101, limit: 100 });
  });

  it("tell of more than five failures within the hour, until the hour has passed", () => {
    const tracker = new AlertTracker();
    for (let n = 0; n < 5; n++) tracker.failed(n);
    expect(tracker.check({ depth: 0 }, settings, 5)).toEqual([]);
    tracker.failed(6);
    expect(tracker.check({ depth: 0 }, settings, 7)).toMatchObject([
      { rule: "tasks_failing", state: "raised", value: 6 },
    ]);
    expect(tracker.check({ depth: 0 }, settings, 3_599_999)).toEqual([]);
    expect(tracker.check({ depth: 0 }, settings, 3_600_000)).toMatchObject([
      { rule: "tasks_failing", state: "resolved", value: 5 },
    ]);
  });

  it("tell of a kind of task whose p95 is too long, once there are enough of them", () => {
    const tracker = new AlertTracker();
    expect(tracker.check(kind(40_000, 19), settings, 0)).toEqual([]);
    expect(tracker.check(kind(30_000), settings, 1)).toEqual([]);
    expect(tracker.check(kind(30_001), settings, 2)).toMatchObject([
      { rule: "p95_slow", subject: "coder/BUG_REPORT", state: "raised" },
    ]);
    expect(tracker.check(kind(24_001), settings, 3)).toEqual([]);
    expect(tracker.check({ depth: 0, kinds: [] }, settings, 4)).toMatchObject([
      { rule: "p95_slow", state: "resolved" },
    ]);
  });

  it("tell of a slow task once, and again only after ten minutes without one", () => {
    const tracker = new AlertTracker();
    expect(tracker.ran("coder/X", 60_000, settings, 0)).toEqual([]);
    expect(tracker.ran("coder/X", 60_001, settings, 0)).toMatchObject([
      { rule: "task_slow", state: "raised", value: 60_001 },
    ]);
    expect(tracker.ran("coder/X", 90_000, settings, 500_000)).toEqual([]);
    expect(tracker.check({ depth: 0 }, settings, 1_099_999)).toEqual([]);
    expect(tracker.check({ depth: 0 }, settings, 1_100_000)).toMatchObject([{ rule: "task_slow", state: "resolved" }]);
  });

  it("go on from what was stored", () => {
    const tracker = new AlertTracker();
    tracker.check({ depth: 200 }, settings, 0);
    for (let n = 0; n < 6; n++) tracker.failed(n);
    const again = new AlertTracker(JSON.parse(JSON.stringify(tracker)));
    expect(again.check({ depth: 200 }, settings, 10).map(({ rule }) => rule)).toEqual(["tasks_failing"]);
    expect(again.raised.map(({ rule }) => rule)).toEqual(["queue_deep", "tasks_failing"]);
  });

  it("end when their rule is switched off", () => {
    const tracker = new AlertTracker();
    tracker.check({ depth: 200 }, settings, 0);
    expect(tracker.check({ depth: 200 }, { ...settings, alert_depth: null }, 1)).toMatchObject([{ state: "resolved" }]);
  });
});
