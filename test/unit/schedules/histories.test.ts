import { describe, expect, it } from "vitest";
import type { ScheduleInput } from "../../../src/core/schedules/settings.ts";
import { ScheduleTimes } from "../../../src/core/schedules/times.ts";
import fc from "../../fast-check.ts";
import { aTask, type Crash, hours, minutes, START, World } from "./world.ts";

const crash = fc.constantFrom<Crash>(undefined, undefined, "before_store", "after_store", "after_call");
const overlap = fc.constantFrom("skip", "allow", "replace", "queue");
const limits = {
  late_start: "3m",
  late_finish: "8m",
  extend_up_to: "25m",
  too_fast: "30s",
  too_often: { runs: 4, within: "30m" },
};

type Step =
  | { readonly do: "pass"; readonly ms: number; readonly crashes: readonly Crash[] }
  | { readonly do: "away"; readonly ms: number }
  | { readonly do: "back"; readonly ms: number }
  | { readonly do: "take" | "extend"; readonly which: number }
  | { readonly do: "finish"; readonly which: number; readonly notice: boolean; readonly good: boolean }
  | { readonly do: "hand" | "pause" | "resume" | "forget" }
  | { readonly do: "full"; readonly full: boolean }
  | { readonly do: "edit"; readonly overlap: NonNullable<ScheduleInput["overlap"]> };

const which = fc.nat(20);
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant("pass" as const),
      ms: fc.integer({ min: 1_000, max: minutes(45) }),
      crashes: fc.array(crash, { minLength: 1, maxLength: 6 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant("away" as const), ms: fc.integer({ min: 1_000, max: hours(9) }) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant("back" as const), ms: fc.integer({ min: 1_000, max: hours(20) }) }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constantFrom("take" as const, "extend" as const), which }) },
  {
    weight: 5,
    arbitrary: fc.record({ do: fc.constant("finish" as const), which, notice: fc.boolean(), good: fc.boolean() }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constantFrom("hand" as const, "pause" as const, "resume" as const, "forget" as const),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("full" as const), full: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("edit" as const), overlap }) },
);

/** Times during which the schedule was not paused, as far as its clock had come. */
class Expected {
  readonly times: number[] = [];
  throughMs = START;

  readonly of: ScheduleTimes;

  constructor(of: ScheduleTimes) {
    this.of = of;
  }

  upTo(ms: number, paused: boolean): void {
    if (ms <= this.throughMs) return;
    if (!paused)
      for (let next = this.of.next(this.throughMs); next !== undefined && next <= ms; next = this.of.next(next))
        this.times.push(next);
    this.throughMs = ms;
  }
}

/** How often each time is accounted for: by an open run, one that waits, or the history. */
function accounted(world: World, times: ScheduleTimes): Map<number, number> {
  const counts = new Map<number, number>();
  const add = (ms: number) => counts.set(ms, (counts.get(ms) ?? 0) + 1);
  for (const run of [...world.state.open, ...world.history]) {
    if (run.by === "hand") continue;
    add(run.timeMs);
    if (!("throughMs" in run) || run.throughMs === undefined) continue;
    for (let next = times.next(run.timeMs); next !== undefined && next <= run.throughMs; next = times.next(next))
      add(next);
  }
  const { waiting } = world.state;
  if (waiting !== null && waiting.by !== "hand") add(waiting.timeMs);
  return counts;
}

describe("any history of a schedule with crashes, pauses, edits and late tasks", () => {
  it("has one run, or one reason why there is none, for each time; tells of each limit once until it is kept again; and ends in order", () => {
    fc.assert(
      fc.property(
        fc.constant({ every: "10m" }),
        overlap,
        fc.nat(5),
        fc.constantFrom(undefined, "4m"),
        fc.array(step, { minLength: 1, maxLength: 20 }),
        (times, first, catch_up, spread, steps) => {
          const input = { ...times, catch_up, ...(spread === undefined ? {} : { spread }), limits, task: aTask };
          const world = new World({ ...input, overlap: first });
          const oracle = new ScheduleTimes({ ...times, zone: "UTC" }, START);
          const expected = new Expected(oracle);
          const spreadMs = spread === undefined ? 0 : minutes(2);
          const isPaused = () => world.state.pausedMs !== null;
          // A pause while a time waits takes the time back, and so does one between a time and its spread.
          let handed = 0;
          let dropped = 0;
          const drops = () => {
            const { waiting } = world.state;
            if (waiting !== null && waiting.by !== "hand") dropped++;
          };
          const task = (place: number) => [...world.tasks.values()][place % Math.max(1, world.tasks.size)]?.id ?? "";
          for (const one of steps) {
            if (one.do === "pass") {
              let turn = 0;
              world.pass(one.ms, () => (turn < 12 ? one.crashes[turn++ % one.crashes.length] : undefined));
            } else if (one.do === "away") world.nowMs += one.ms;
            // By more than a day its times begin anew, which is another promise.
            else if (one.do === "back")
              world.nowMs = Math.max(world.nowMs - one.ms, world.state.lastMs - hours(23), START);
            else if (one.do === "take") world.take(task(one.which));
            else if (one.do === "extend") world.take(task(one.which), hours(1));
            else if (one.do === "finish") world.finish(task(one.which), one.good ? "complete" : "failed", one.notice);
            else if (one.do === "hand") {
              const id = `hand-${handed++}`;
              world.change((machine) => machine.runNow(id, world.nowMs));
            } else if (one.do === "pause" && !isPaused()) {
              world.act();
              expected.upTo(world.nowMs - spreadMs, false);
              drops();
              world.change((machine) => machine.pause(true, world.nowMs));
            } else if (one.do === "resume" && isPaused()) {
              expected.upTo(world.nowMs, true);
              drops();
              world.change((machine) => machine.pause(false, world.nowMs));
            } else if (one.do === "forget") world.act("after_call");
            else if (one.do === "full") world.full = one.full;
            else if (one.do === "edit") world.edit({ ...input, overlap: one.overlap });
            if (!isPaused()) expected.upTo(Math.min(world.nowMs - spreadMs, world.state.lastMs), false);
          }
          // Everything calms down: workers do what there is, at their leisure.
          world.full = false;
          if (isPaused()) {
            expected.upTo(world.nowMs, true);
            drops();
            world.change((machine) => machine.pause(false, world.nowMs));
          }
          world.nowMs = Math.max(world.nowMs, world.state.lastMs);
          for (let round = 0; round < 4; round++) {
            world.pass(minutes(9));
            for (const id of world.open) world.take(id);
            world.pass(minutes(1));
            for (const id of world.open) world.finish(id);
          }
          expected.upTo(world.state.lastMs, false);

          expect(new Set(world.queued).size).toBe(world.queued.length);
          const counts = accounted(world, oracle);
          expect([...counts.values()].filter((count) => count !== 1)).toEqual([]);
          expect(expected.times.filter((time) => !counts.has(time)).length).toBeLessThanOrEqual(dropped);
          expect([...counts.keys()].filter((time) => !expected.times.includes(time))).toEqual([]);
          for (const limit of ["late_start", "late_finish", "too_fast", "too_often"]) {
            const told = world.told.filter((text) => text.startsWith(limit));
            expect(told).toEqual(told.map((_, place) => `${limit} ${place % 2 === 0 ? "raised" : "resolved"}`));
          }
          expect(world.state.broken.late_finish).toBeUndefined();
          expect(world.dueMs).toBeDefined();
        },
      ),
      { numRuns: 1_000 },
    );
  });
});
