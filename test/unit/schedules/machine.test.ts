import { describe, expect, it } from "vitest";
import { aTask, hours, minutes, START, World } from "./world.ts";

const hourly = { cron: "0 * * * *", task: aTask };
const firstId = "schedule/nightly/2026-03-28T13:00:00Z";

describe("a schedule", () => {
  it("makes a task at each of its times, under an id that follows from the time", () => {
    const world = new World(hourly);
    world.pass(hours(1));
    world.finish(firstId);
    world.pass(hours(1));
    expect(world.queued).toEqual([firstId, "schedule/nightly/2026-03-28T14:00:00Z"]);
    expect(world.history).toMatchObject([{ id: firstId, outcome: "complete", by: "time" }]);
  });

  it("emits a signal at each of its times", () => {
    const world = new World({ cron: "0 * * * *", signal: { signal: "Q_TICK" } });
    world.pass(hours(2));
    expect(world.emitted).toHaveLength(2);
    expect(world.history.map(({ outcome }) => outcome)).toEqual(["emitted", "emitted"]);
  });

  it("does nothing while it is paused, and misses nothing by that", () => {
    const world = new World({ ...hourly, paused: true });
    expect(world.dueMs).toBeUndefined();
    world.pass(hours(5));
    world.change((machine) => machine.pause(false, world.nowMs));
    world.act();
    expect(world.queued).toEqual([]);
    world.pass(hours(1));
    expect(world.queued).toEqual(["schedule/nightly/2026-03-28T18:00:00Z"]);
  });

  it("is later by the same part of its spread each time", () => {
    const world = new World({ ...hourly, overlap: "allow", spread: "10m" });
    expect(world.dueMs).toBe(START + hours(1) + minutes(5));
    world.pass(hours(2) + minutes(5));
    expect(world.queued).toEqual([firstId, "schedule/nightly/2026-03-28T14:00:00Z"]);
  });
});

describe("what happens while an earlier run is not over", () => {
  const untilThird = (overlap: "skip" | "allow" | "replace" | "queue") => {
    const world = new World({ ...hourly, overlap });
    world.pass(hours(1));
    world.take(firstId, hours(9));
    world.pass(hours(2));
    return world;
  };
  const second = "schedule/nightly/2026-03-28T14:00:00Z";
  const third = "schedule/nightly/2026-03-28T15:00:00Z";

  it("skip: the time passes, and the history says why", () => {
    const world = untilThird("skip");
    expect(world.open).toEqual([firstId]);
    expect(world.history).toMatchObject([
      { outcome: "skipped", why: `the run ${firstId} is not over` },
      { outcome: "skipped" },
    ]);
  });

  it("allow: another run is made", () => {
    expect(untilThird("allow").open).toEqual([firstId, second, third]);
  });

  it("replace: the earlier task is cancelled before the next one is queued", () => {
    const world = untilThird("replace");
    expect(world.open).toEqual([third]);
    expect(world.tasks.get(firstId)?.end?.outcome).toBe("cancelled");
    expect(world.history.map(({ outcome }) => outcome)).toEqual(["cancelled", "cancelled"]);
  });

  it("queue: one run waits for the end, and no more than one", () => {
    const world = untilThird("queue");
    expect(world.open).toEqual([firstId]);
    expect(world.history).toMatchObject([{ id: third, outcome: "skipped" }]);
    world.finish(firstId);
    expect(world.open).toEqual([second]);
    expect(world.queued).toEqual([firstId, second]);
  });

  it("a run by hand obeys the same, and says why there is none", () => {
    const world = untilThird("skip");
    expect(world.change((machine) => machine.runNow("by-hand", world.nowMs))).toEqual({
      skipped: `the run ${firstId} is not over`,
    });
  });
});

describe("times that passed while the edge was away", () => {
  const awayFor = (ms: number, catch_up: number) => {
    const world = new World({ ...hourly, overlap: "allow", catch_up });
    world.nowMs += ms;
    world.act();
    return world;
  };

  it("are made up for, the newest first and no more than are asked for; the rest is one row", () => {
    const world = awayFor(hours(5) + minutes(30), 2);
    expect(world.open).toEqual(["schedule/nightly/2026-03-28T16:00:00Z", "schedule/nightly/2026-03-28T17:00:00Z"]);
    expect(world.history).toMatchObject([
      { outcome: "missed", timeMs: START + hours(1), throughMs: START + hours(3), why: "the edge was away" },
    ]);
  });

  it("are skipped where none is to be made up for", () => {
    const world = awayFor(hours(5) + minutes(30), 0);
    expect(world.open).toEqual([]);
    expect(world.history).toMatchObject([{ outcome: "missed", throughMs: START + hours(5) }]);
    world.pass(hours(1));
    expect(world.open).toEqual(["schedule/nightly/2026-03-28T18:00:00Z"]);
  });

  it("take no longer where they are many: a year of seconds is one look", () => {
    const world = new World({ cron: "* * * * * *", overlap: "allow", catch_up: 100, task: aTask });
    world.nowMs += hours(24 * 365);
    world.act();
    // The last minute is on time.
    expect(world.open).toHaveLength(100);
    expect(world.history.filter(({ outcome }) => outcome === "missed")).toHaveLength(1);
  });
});

describe("a clock that jumps", () => {
  it("back by less than a day repeats no time, and goes on at the first that is new", () => {
    const world = new World({ ...hourly, overlap: "allow" });
    world.pass(hours(3));
    world.nowMs -= hours(2);
    world.pass(hours(2));
    expect(world.queued).toHaveLength(3);
    world.pass(hours(1));
    expect(world.queued).toHaveLength(4);
  });

  it("back by more than a day does not keep the schedule silent", () => {
    for (const times of [{ cron: "0 * * * *" }, { every: "1h" }]) {
      const world = new World({ ...times, overlap: "allow", task: aTask });
      world.nowMs += hours(24 * 3_650);
      world.act();
      const before = world.queued.length;
      world.nowMs = START + hours(2);
      world.act();
      world.pass(hours(3));
      expect(world.queued.length - before).toBeGreaterThanOrEqual(2);
    }
  });

  it("back does not keep a task from its queue that was to be tried again later", () => {
    const world = new World(hourly);
    world.full = true;
    world.pass(hours(9));
    world.full = false;
    world.nowMs -= hours(8) - minutes(30);
    world.pass(minutes(1));
    expect(world.queued).toEqual([firstId]);
  });

  it("back tells again of a run that is late once more", () => {
    const world = new World({ ...hourly, limits: { late_finish: "30m" } });
    world.pass(hours(1));
    world.take(firstId, hours(9));
    world.pass(minutes(31));
    world.nowMs -= minutes(20);
    world.change((machine) => machine.advance(world.nowMs));
    world.pass(minutes(20));
    expect(world.told).toEqual(["late_finish raised", "late_finish resolved", "late_finish raised"]);
  });

  it("forward makes up for no more than is asked for", () => {
    const world = new World({ ...hourly, overlap: "allow" });
    world.nowMs += hours(24 * 30);
    world.act();
    expect(world.queued).toHaveLength(2);
  });
});

describe("the limits of a schedule", () => {
  it("late start: a run that no worker takes is told of once, and again when it is taken", () => {
    const world = new World({ ...hourly, limits: { late_start: "5m" } });
    world.pass(hours(1) + minutes(4));
    expect(world.told).toEqual([]);
    world.pass(minutes(1));
    expect(world.told).toEqual(["late_start raised"]);
    world.pass(hours(3));
    expect(world.told).toEqual(["late_start raised"]);
    world.take(firstId);
    world.finish(firstId);
    expect(world.told).toEqual(["late_start raised", "late_start resolved"]);
    expect(world.history.at(-1)).toMatchObject({ id: firstId, broke: ["late_start"] });
  });

  it("late start: a run that a worker took in time is none, though nobody told the schedule", () => {
    const world = new World({ ...hourly, limits: { late_start: "5m" } });
    world.pass(hours(1));
    world.take(firstId);
    world.pass(minutes(50));
    expect(world.told).toEqual([]);
  });

  it("late finish: a run that goes on for too long is told of, and again at its end", () => {
    const world = new World({ ...hourly, limits: { late_finish: "30m" } });
    world.pass(hours(1));
    world.take(firstId);
    world.pass(minutes(30));
    expect(world.told).toEqual(["late_finish raised"]);
    world.finish(firstId);
    expect(world.told).toEqual(["late_finish raised", "late_finish resolved"]);
  });

  it("extend while alive: a run whose worker keeps its lease may go on, up to a maximum", () => {
    const world = new World({ ...hourly, limits: { late_finish: "30m", extend_up_to: "2h" } });
    world.pass(hours(1));
    world.take(firstId, hours(1));
    world.pass(minutes(30));
    expect(world.told).toEqual([]);
    world.take(firstId, hours(9));
    world.pass(minutes(89));
    expect(world.told).toEqual([]);
    world.pass(minutes(1));
    expect(world.told).toEqual(["late_finish raised"]);
  });

  it("extend while alive: a run whose worker is gone is late at its limit", () => {
    const world = new World({ ...hourly, limits: { late_finish: "30m", extend_up_to: "2h" } });
    world.pass(hours(1));
    world.take(firstId, minutes(1));
    world.pass(minutes(30));
    expect(world.told).toEqual(["late_finish raised"]);
  });

  it("too fast: a run that was done at once is told of, until one takes its time", () => {
    const world = new World({ ...hourly, limits: { too_fast: "10s" } });
    world.pass(hours(1));
    world.take(firstId);
    world.pass(3_000);
    world.finish(firstId);
    expect(world.told).toEqual(["too_fast raised"]);
    expect(world.history.at(-1)).toMatchObject({ broke: ["too_fast"] });
    world.pass(hours(1));
    const next = world.open[0] ?? "";
    world.take(next);
    world.pass(10_000);
    world.finish(next);
    expect(world.told).toEqual(["too_fast raised", "too_fast resolved"]);
  });

  it("too often: more runs than that are told of, those by hand included, until their time is over", () => {
    const world = new World({ ...hourly, overlap: "allow", limits: { too_often: { runs: 2, within: "1h" } } });
    for (const id of ["a", "b", "c"]) {
      world.change((machine) => machine.runNow(id, world.nowMs));
      world.pass(minutes(1));
    }
    expect(world.told).toEqual(["too_often raised"]);
    world.pass(hours(1));
    expect(world.told).toEqual(["too_often raised", "too_often resolved"]);
  });

  it("are kept again where they are taken back, or the schedule is deleted", () => {
    for (const end of ["edit", "delete"]) {
      const world = new World({ ...hourly, limits: { late_start: "5m" } });
      world.pass(hours(1) + minutes(5));
      if (end === "edit") world.edit(hourly);
      else world.change((machine) => machine.deleted());
      expect(world.told).toEqual(["late_start raised", "late_start resolved"]);
    }
  });

  it("a task that its queue lost ends the run", () => {
    const world = new World({ ...hourly, limits: { late_start: "5m" } });
    world.pass(hours(1));
    world.tasks.clear();
    world.pass(minutes(5));
    expect(world.told).toEqual([]);
    expect(world.history).toMatchObject([{ id: firstId, outcome: "lost" }]);
  });

  it("a queue that is full is asked again, and the run is late meanwhile", () => {
    const world = new World({ ...hourly, limits: { late_start: "5m" } });
    world.full = true;
    world.pass(hours(1) + minutes(6));
    expect(world.told).toEqual(["late_start raised"]);
    world.full = false;
    world.pass(minutes(1));
    expect(world.queued).toEqual([firstId]);
  });

  it("a task that no queue takes for most of a day is given up: its id would not be known by then", () => {
    const world = new World({ ...hourly, overlap: "skip" });
    world.full = true;
    world.pass(hours(21) + minutes(1));
    expect(world.history.find(({ id }) => id === firstId)).toMatchObject({ outcome: "lost" });
  });
});

describe("a job that runs elsewhere", () => {
  const outside = { cron: "0 * * * *", limits: { late_start: "10m", late_finish: "30m", too_fast: "5s" } };

  it("is silent once no report came in time, until one comes", () => {
    const world = new World(outside);
    world.pass(hours(1) + minutes(9));
    expect(world.told).toEqual([]);
    world.pass(minutes(1));
    expect(world.told).toEqual(["late_start raised"]);
    world.pass(hours(5));
    expect(world.told).toEqual(["late_start raised"]);
    world.change((machine) => machine.beat(world.nowMs));
    expect(world.told).toEqual(["late_start raised", "late_start resolved"]);
  });

  it("is not silent while its signs of life come, also those that are a little early", () => {
    const world = new World(outside);
    for (let hour = 0; hour < 30; hour++) {
      world.pass(hours(1) - 20_000);
      world.change((machine) => machine.beat(world.nowMs));
      world.pass(20_000);
    }
    expect(world.told).toEqual([]);
    expect(world.history).toHaveLength(30);
  });

  it("counts a length of time from its own last report", () => {
    const world = new World({ every: "10m", limits: { late_start: "2m" } });
    world.pass(minutes(7));
    world.change((machine) => machine.beat(world.nowMs));
    world.pass(minutes(11));
    expect(world.told).toEqual([]);
    world.pass(minutes(1));
    expect(world.told).toEqual(["late_start raised"]);
  });

  it("reports the beginning and the end of a run, and is late with its end", () => {
    const world = new World(outside);
    world.pass(hours(1) + minutes(1));
    world.change((machine) => machine.report({ state: "started", run: "r1" }, world.nowMs));
    world.change((machine) => machine.report({ state: "started", run: "r1" }, world.nowMs));
    expect(world.open).toEqual(["r1"]);
    world.pass(minutes(30));
    expect(world.told).toEqual(["late_finish raised"]);
    world.change((machine) => machine.report({ state: "finished", run: "r1" }, world.nowMs));
    world.change((machine) => machine.report({ state: "finished", run: "r1" }, world.nowMs));
    expect(world.told).toEqual(["late_finish raised", "late_finish resolved"]);
    expect(world.history).toMatchObject([{ id: "r1", outcome: "complete", timeMs: START + hours(1) }]);
  });

  it("has more time while it reports progress", () => {
    const world = new World({
      cron: "0 * * * *",
      limits: { late_start: "10m", late_finish: "20m", extend_up_to: "50m" },
    });
    world.pass(hours(1));
    world.change((machine) => machine.report({ state: "started", run: "r1" }, world.nowMs));
    for (let minute = 0; minute < 49; minute++) {
      world.pass(minutes(1));
      world.change((machine) => machine.report({ state: "progress", run: "r1" }, world.nowMs));
    }
    expect(world.told).toEqual([]);
    world.pass(minutes(1));
    expect(world.told).toEqual(["late_finish raised"]);
  });

  it("has lost a run where the next one begins without an end of the first", () => {
    const world = new World(outside);
    world.change((machine) => machine.report({ state: "started", run: "r1" }, world.nowMs));
    world.pass(minutes(1));
    world.change((machine) => machine.report({ state: "started", run: "r2" }, world.nowMs));
    expect(world.open).toEqual(["r2"]);
    expect(world.history).toMatchObject([{ id: "r1", outcome: "lost" }]);
  });

  it("says that a run failed, and why", () => {
    const world = new World(outside);
    world.change((machine) => machine.report({ state: "failed", error: "disk full" }, world.nowMs));
    expect(world.history).toMatchObject([{ outcome: "failed", why: "disk full" }]);
  });

  it("is not accused of silence while the edge was away", () => {
    const world = new World(outside);
    world.nowMs += hours(6) + minutes(30);
    world.act();
    expect(world.told).toEqual([]);
    world.pass(minutes(10));
    expect(world.told).toEqual(["late_start raised"]);
  });
});
