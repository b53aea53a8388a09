import { describe, expect, it, test } from "vitest";
import { readHeartbeat } from "../../../src/core/supervisor/heartbeat.ts";
import type { Reading } from "../../../src/core/supervisor/process-judgement.ts";
import { DEFAULT_RULES, type ProcessRules, restartDelayMs } from "../../../src/core/supervisor/process-rules.ts";
import { SupervisedProcess } from "../../../src/core/supervisor/supervised-process.ts";
import fc from "../../fast-check.ts";
import { anyHistory, Expectations, World } from "./process-world.ts";

const rules = (change: Partial<ProcessRules> = {}): ProcessRules => ({
  ...DEFAULT_RULES,
  heartbeatMs: 10_000,
  progressMs: 40_000,
  ...change,
});
const world = (change?: Partial<ProcessRules>) => new World(rules(change));
const reading = (change: Partial<Reading>): Reading => ({
  memoryBytes: 1,
  cpuPercent: 0,
  running: false,
  stopped: false,
  ...change,
});
const signals = ({ announced }: World) => announced.map(({ signal }) => signal);

describe("a supervised process", () => {
  test("behaves as the model expects after any history", () => {
    const setup = () => {
      const model = new Expectations();
      return { model, real: new World(rules(), model) };
    };
    fc.assert(
      fc.property(anyHistory, (history) => fc.modelRun(setup, history)),
      { numRuns: 1_000 },
    );
  });

  it("is started again within five seconds each time, and given up after three restarts in a row", () => {
    const w = world();
    for (let crash = 0; crash < 3; crash++) {
      w.end(1);
      expect(w.phase).toBe("backing_off");
      w.pass(4_999);
      expect(w.phase).toBe("up");
    }
    w.end(1);
    expect(w.phase).toBe("gave_up");
    w.pass(3_600_000);
    expect(w.spawns).toBe(4);
    const once = ["Q_PROCESS_CRASHED", "Q_PROCESS_RESTARTED"];
    expect(signals(w)).toEqual([...once, ...once, ...once, "Q_PROCESS_CRASHED", "Q_PROCESS_GAVE_UP"]);
  });

  it("gets all its restarts back when it has run stably for a while", () => {
    const w = world();
    for (let crash = 0; crash < 20; crash++) {
      w.end(1);
      w.pass(500 + 60_000);
      expect(w.phase).toBe("up");
    }
    for (const phase of ["backing_off", "backing_off", "backing_off", "gave_up"]) {
      w.end(1);
      expect(w.phase).toBe(phase);
      w.pass(5_000);
    }
  });

  it("is sent SIGTERM to stop, and killed when it still runs 30 seconds later", () => {
    const w = world();
    w.ignoresSigterm = true;
    w.expected.stoppedByPerson = true;
    w.send({ type: "stop", force: false });
    w.pass(29_999);
    expect(w.alive).toBe(true);
    w.send({ type: "stop", force: false }); // a second request does not extend the time
    w.pass(1);
    expect([w.alive, w.phase]).toEqual([false, "stopped"]);
  });

  it("is resumed with SIGCONT when it is to stop, so that it receives SIGTERM", () => {
    const w = world();
    w.frozen = true;
    w.send({ type: "measured", reading: reading({ stopped: true }) });
    w.expected.stoppedByPerson = true;
    w.send({ type: "stop", force: false });
    expect([w.alive, w.phase]).toEqual([false, "stopped"]);
  });

  it("restarts at once when a restart was requested while it was ended for hanging", () => {
    const w = world();
    w.heartbeat = { state: "working", task: "t" };
    w.beat();
    w.heartbeat = null;
    w.ignoresSigterm = true;
    w.pass(10_000);
    expect(w.phase).toBe("stopping");
    w.expected.failing = false;
    w.send({ type: "restart", force: false });
    w.pass(2_000);
    expect([w.spawns, w.phase]).toEqual([2, "up"]);
  });

  it("is ended when its start completes after a stop was requested", () => {
    const process = new SupervisedProcess(rules(), "started");
    expect(process.handle({ type: "wake" }, 0)).toEqual([{ do: "spawn" }]);
    expect(process.handle({ type: "stop", force: false }, 1)).toEqual([]);
    expect(process.handle({ type: "spawned", pid: 7 }, 2)).toEqual([{ do: "signal", signal: "SIGTERM" }]);
  });

  it("is left running while its heartbeats report waiting, for any time", () => {
    const w = world();
    w.heartbeat = { state: "waiting", task: "the edge", progress: 1 };
    w.beat();
    w.pass(7 * 86_400_000);
    expect([w.spawns, signals(w)]).toEqual([1, []]);
  });

  it("is hung when it is silent for too long, and is restarted", () => {
    const w = world();
    w.heartbeat = { state: "working", task: "a", progress: 1 };
    w.beat();
    w.heartbeat = null;
    w.pass(9_999);
    expect(w.announced).toEqual([]);
    w.pass(1);
    expect(w.announced[0]).toMatchObject({
      signal: "Q_PROCESS_HUNG",
      facts: { reason: "blocked", task: "a", silent_ms: 10_000, action: "restarted" },
    });
    w.pass(500);
    expect([w.phase, w.spawns]).toEqual(["up", 2]);
  });

  it("is hung when its heartbeats report work without progress", () => {
    const w = world();
    w.heartbeat = { state: "working", task: "a", progress: 0.5 };
    w.beat();
    w.pass(40_000);
    expect(signals(w)).toContain("Q_PROCESS_HUNG");
  });

  it("is resumed when a signal has stopped it, and keeps its work", () => {
    const w = world();
    w.heartbeat = { state: "working", task: "a" };
    w.beat();
    w.frozen = true;
    w.send({ type: "measured", reading: reading({ stopped: true }) });
    w.pass(10_000);
    expect(w.announced).toMatchObject([{ facts: { reason: "stopped", action: "resumed" } }]);
    w.pass(60_000);
    expect([w.phase, w.spawns, w.frozen]).toEqual(["up", 1, false]);
  });

  it.each([
    ["spinning", { running: true, cpuPercent: 99 }],
    ["spinning", { running: true, cpuPercent: 3 }], // one of many on a crowded machine
    ["spinning", { running: false, cpuPercent: 99 }], // in a thread that was not measured
    ["blocked", { running: true, cpuPercent: 2.9 }],
    ["blocked", { running: false, cpuPercent: 24.9 }],
  ] as const)("is reported as %s when it is silent and measured as %o", (reason, seen) => {
    const w = world();
    w.heartbeat = { state: "working", task: "a" };
    w.beat();
    w.heartbeat = null;
    w.nowMs += 10_000;
    w.send({ type: "measured", reading: reading(seen) });
    w.send({ type: "due" });
    expect(w.announced[0]).toMatchObject({ facts: { reason } });
  });

  it.each([
    ["memory", { memoryBytes: 1_000 }, reading({ memoryBytes: 1_001 }), reading({ memoryBytes: 1_000 })],
    ["cpu", { cpuPercent: 50 }, reading({ cpuPercent: 50.1 }), reading({ cpuPercent: 50 })],
  ] as const)(
    "is restarted when it exceeds its %s limit for long, and not for a moment",
    (what, limit, over, under) => {
      const w = world({ ...limit, limitMs: 30_000 });
      const measure = (value: Reading, ms: number) => {
        w.send({ type: "measured", reading: value });
        w.nowMs += ms;
      };
      measure(over, 29_999);
      measure(under, 5_000);
      measure(over, 29_999);
      measure(over, 1);
      expect(signals(w)).toEqual([]);
      measure(over, 0);
      expect(w.announced[0]).toMatchObject({ signal: "Q_PROCESS_LIMIT_EXCEEDED", facts: { limit_of: what } });
      w.pass(500);
      expect([w.phase, w.spawns]).toEqual(["up", 2]);
    },
  );

  it("is not hung by a silence in which the supervisor itself was suspended", () => {
    const w = world();
    w.heartbeat = { state: "working", task: "a" };
    w.beat();
    w.heartbeat = null;
    w.nowMs += 3_600_000;
    w.send({ type: "paused", forMs: 3_600_000 });
    w.send({ type: "due" });
    expect(signals(w)).toEqual([]);
    w.pass(10_000);
    expect(signals(w)).toContain("Q_PROCESS_HUNG");
  });

  it("is not started by a schedule when a person has stopped it", () => {
    const w = world();
    w.expected.stoppedByPerson = true;
    w.send({ type: "stop", force: false });
    w.send({ type: "wake" });
    expect([w.phase, w.spawns]).toEqual(["stopped", 1]);
  });

  it.each([
    ["on_failure", 0, "stopped"],
    ["on_failure", 1, "backing_off"],
    ["never", 1, "stopped"],
    ["always", 0, "backing_off"],
  ] as const)("with the restart rule %s is after exit code %s in the phase %s", (restart, code, phase) => {
    const w = world({ restart });
    w.end(code);
    expect(w.phase).toBe(phase);
  });

  it("backs off after a failed start as after a crash", () => {
    const w = world();
    w.end(1);
    w.send({ type: "due" });
    const before = w.process;
    before.handle({ type: "spawn_failed", error: "there is no program coder" }, w.nowMs);
    expect(before.view(w.nowMs)).toMatchObject({
      phase: "backing_off",
      detail: "the process could not be started: there is no program coder",
    });
  });
});

test("the delay before a restart grows to four seconds at most", () => {
  expect([1, 2, 3, 4, 5, 1e9].map(restartDelayMs)).toEqual([500, 1_000, 2_000, 4_000, 4_000, 4_000]);
});

test("a heartbeat is one line of JSON, and any other line counts as silence", () => {
  expect(readHeartbeat('{"state":"working","task":"t-1","progress":0.5,"more":1}')).toEqual({
    state: "working",
    task: "t-1",
    progress: 0.5,
  });
  for (const line of ["", "working", '{"state":"dancing"}', "null", '{"state":"idle"']) {
    expect(readHeartbeat(line)).toBeUndefined();
  }
});
