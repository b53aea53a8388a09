import { describe, expect, it } from "vitest";
import { AlertTracker } from "../../../src/core/queue/alert-tracker.ts";
import { DEFAULT_SETTINGS } from "../../../src/core/queue/queue-settings.ts";

const settings = DEFAULT_SETTINGS;
const kind = (p95Ms: number, tasks = 20) => ({ depth: 0, kinds: [{ subject: "coder/BUG_REPORT", tasks, p95Ms }] });

describe("the alerts of a queue", () => {
  it("tell once that it is deep and once that it is not, without flapping at the threshold", () => {
    const book = new AlertTracker();
    const states = [100, 101, 500, 99, 101, 81, 80, 100].map((depth, ms) => book.look({ depth }, settings, ms));
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
    const book = new AlertTracker();
    for (let n = 0; n < 5; n++) book.failed(n);
    expect(book.look({ depth: 0 }, settings, 5)).toEqual([]);
    book.failed(6);
    expect(book.look({ depth: 0 }, settings, 7)).toMatchObject([{ rule: "tasks_failing", state: "raised", value: 6 }]);
    expect(book.look({ depth: 0 }, settings, 3_599_999)).toEqual([]);
    expect(book.look({ depth: 0 }, settings, 3_600_000)).toMatchObject([
      { rule: "tasks_failing", state: "resolved", value: 5 },
    ]);
  });

  it("tell of a kind of task whose p95 is too long, once there are enough of them", () => {
    const book = new AlertTracker();
    expect(book.look(kind(40_000, 19), settings, 0)).toEqual([]);
    expect(book.look(kind(30_000), settings, 1)).toEqual([]);
    expect(book.look(kind(30_001), settings, 2)).toMatchObject([
      { rule: "p95_slow", subject: "coder/BUG_REPORT", state: "raised" },
    ]);
    expect(book.look(kind(24_001), settings, 3)).toEqual([]);
    expect(book.look({ depth: 0, kinds: [] }, settings, 4)).toMatchObject([{ rule: "p95_slow", state: "resolved" }]);
  });

  it("tell of a slow task once, and again only after ten minutes without one", () => {
    const book = new AlertTracker();
    expect(book.ran("coder/X", 60_000, settings, 0)).toEqual([]);
    expect(book.ran("coder/X", 60_001, settings, 0)).toMatchObject([
      { rule: "task_slow", state: "raised", value: 60_001 },
    ]);
    expect(book.ran("coder/X", 90_000, settings, 500_000)).toEqual([]);
    expect(book.look({ depth: 0 }, settings, 1_099_999)).toEqual([]);
    expect(book.look({ depth: 0 }, settings, 1_100_000)).toMatchObject([{ rule: "task_slow", state: "resolved" }]);
  });

  it("go on from what was stored", () => {
    const book = new AlertTracker();
    book.look({ depth: 200 }, settings, 0);
    for (let n = 0; n < 6; n++) book.failed(n);
    const again = new AlertTracker(JSON.parse(JSON.stringify(book)));
    expect(again.look({ depth: 200 }, settings, 10).map(({ rule }) => rule)).toEqual(["tasks_failing"]);
    expect(again.raised.map(({ rule }) => rule)).toEqual(["queue_deep", "tasks_failing"]);
  });

  it("end when their rule is switched off", () => {
    const book = new AlertTracker();
    book.look({ depth: 200 }, settings, 0);
    expect(book.look({ depth: 200 }, { ...settings, alert_depth: null }, 1)).toMatchObject([{ state: "resolved" }]);
  });
});
