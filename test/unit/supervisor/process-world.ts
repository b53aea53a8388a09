import { expect } from "vitest";
import type { Heartbeat } from "../../../src/core/supervisor/heartbeat.ts";
import type { ProcessAction, ProcessEvent } from "../../../src/core/supervisor/process-protocol.ts";
import { HUNG_STOP_MS, type ProcessRules } from "../../../src/core/supervisor/process-rules.ts";
import { SupervisedProcess } from "../../../src/core/supervisor/supervised-process.ts";
import fc from "../../fast-check.ts";

/** The model: the state that a person expects, in its simplest form. */
export class Expectations {
  stoppedByPerson = false;
  inRow = 0;
  gaveUp = false;
  /** The next end of the process counts as a failure. */
  failing = false;
  /** The last end was a failure, so the process is started again after a back-off. */
  backsOff = false;
}

/**
 * A machine with one supervised process, as the supervisor's shell would drive it: each action takes effect at once, and
 * `due` comes exactly at its time. Asserts that no forbidden action is taken.
 */
export class World {
  readonly process: SupervisedProcess;
  readonly announced: { readonly signal: string; readonly facts: Readonly<Record<string, unknown>> }[] = [];
  nowMs = 1_000;
  alive = false;
  spawns = 0;
  /** The process catches SIGTERM and keeps running. */
  ignoresSigterm = false;
  frozen = false;
  /** The heartbeat that the process sends each second, unless it is frozen. */
  heartbeat: Heartbeat | null = null;
  startedMs = 0;
  lastBeatMs = 0;
  terminatedMs: number | null = null;
  forced = false;
  /** An end of the process that has not been reported yet. */
  #ended: { readonly code: number | null; readonly signal: string | null } | null = null;
  readonly rules: ProcessRules;
  readonly expected: Expectations;

  constructor(rules: ProcessRules, expected = new Expectations()) {
    this.rules = rules;
    this.expected = expected;
    this.process = new SupervisedProcess(rules, "started");
    this.send({ type: "wake" });
  }

  get phase() {
    return this.process.view(this.nowMs).phase;
  }

  send(event: ProcessEvent): void {
    for (const action of this.process.handle(event, this.nowMs)) this.#carryOut(action);
    // The end is reported after all actions of one decision: until then the process id is not reused.
    const ended = this.#ended;
    this.#ended = null;
    if (ended !== null) this.#gone(ended.code, ended.signal);
  }

  /** The process ends by itself, or another program ends it. */
  end(code: number | null): void {
    if (!this.alive) return;
    if (this.terminatedMs === null) this.expected.failing = true;
    this.#gone(code, code === null ? "SIGKILL" : null);
  }

  pass(ms: number): void {
    const endMs = this.nowMs + ms;
    while (this.nowMs < endMs) {
      const due = this.process.dueMs ?? Number.POSITIVE_INFINITY;
      const beat =
        this.alive && this.heartbeat !== null && !this.frozen ? this.lastBeatMs + 1_000 : Number.POSITIVE_INFINITY;
      this.nowMs = Math.max(this.nowMs, Math.min(endMs, due, beat));
      if (beat <= this.nowMs) this.beat();
      if (due <= this.nowMs) {
        this.#measure();
        this.send({ type: "due" });
      }
    }
    this.check();
  }

  beat(): void {
    if (!this.alive || this.frozen || this.heartbeat === null) return;
    this.lastBeatMs = this.nowMs;
    this.send({ type: "heartbeat", beat: this.heartbeat });
  }

  check(): void {
    const view = this.process.view(this.nowMs);
    expect(view.pid !== null).toBe(this.alive);
    expect(view.phase === "gave_up").toBe(this.expected.gaveUp);
    if (this.expected.stoppedByPerson) expect(["stopped", "stopping"]).toContain(view.phase);
    else if (!this.alive && !this.expected.gaveUp) {
      expect([view.phase, this.expected.backsOff]).toEqual(["backing_off", true]);
      expect((this.process.dueMs ?? Number.POSITIVE_INFINITY) - this.nowMs).toBeLessThan(5_000);
    }
    if (view.phase === "up") expect(view.verdict).not.toBe("hung");
  }

  #measure(): void {
    if (!this.alive) return;
    const reading = { memoryBytes: 1, cpuPercent: 0, running: false, stopped: this.frozen };
    this.send({ type: "measured", reading });
  }

  #gone(code: number | null, signal: string | null): void {
    // A process that ran stably starts a new row of restarts, for any cause of its end.
    if (this.nowMs - this.startedMs >= this.rules.stableMs) this.expected.inRow = 0;
    if (this.expected.failing && !this.expected.stoppedByPerson) {
      if (this.expected.inRow >= this.rules.maxRestarts) this.expected.gaveUp = true;
      else this.expected.inRow += 1;
    }
    this.expected.backsOff = this.expected.failing;
    this.expected.failing = false;
    this.alive = false;
    this.frozen = false;
    this.ignoresSigterm = false;
    this.terminatedMs = null;
    this.forced = false;
    this.send({ type: "exited", code, signal });
  }

  #carryOut(action: ProcessAction): void {
    if (action.do === "announce") {
      this.announced.push(action);
      if (action.signal === "Q_PROCESS_HUNG" && action.facts.action === "restarted") {
        const silent = this.nowMs - this.lastBeatMs >= this.rules.heartbeatMs;
        expect(silent || this.frozen || typeof this.heartbeat?.progress === "number").toBe(true);
        this.expected.failing = true;
      }
      return;
    }
    if (action.do === "spawn") {
      expect(this.alive, "two processes at a time").toBe(false);
      expect(this.expected.stoppedByPerson, "a person had stopped it").toBe(false);
      this.alive = true;
      this.spawns += 1;
      this.startedMs = this.nowMs;
      this.lastBeatMs = this.nowMs;
      this.send({ type: "spawned", pid: this.spawns });
      return;
    }
    expect(this.alive, `${action.signal} without a process`).toBe(true);
    if (action.signal === "SIGCONT") this.frozen = false;
    if (action.signal === "SIGTERM") this.terminatedMs = this.nowMs;
    // A stopped process receives SIGTERM when it is resumed.
    if (this.terminatedMs !== null && !this.ignoresSigterm && !this.frozen) this.#ended ??= { code: 0, signal: null };
    if (action.signal === "SIGKILL") {
      const waited = this.terminatedMs === null ? null : this.nowMs - this.terminatedMs;
      const inTime = waited === HUNG_STOP_MS || waited === this.rules.stopMs;
      expect(this.forced || waited === null || inTime, `killed after ${waited} ms`).toBe(true);
      this.#ended ??= { code: null, signal: "SIGKILL" };
    }
  }
}

const act = (name: string, run: (world: World) => void): fc.Command<Expectations, World> => ({
  check: () => true,
  run: (_, world) => {
    run(world);
    world.check();
  },
  toString: () => name,
});

const requestByPerson = (world: World, stopped: boolean) => {
  world.expected.stoppedByPerson = stopped;
  world.expected.gaveUp = false;
};

/** An end that a person requested is no failure. */
const asked = (world: World) => {
  world.expected.failing = false;
};

const anyPause = fc.constantFrom(1, 499, 500, 999, 1_000, 1_999, 2_000, 3_999, 4_000, 9_999, 10_000, 29_999, 60_000);
const passing = anyPause.map((ms) => act(`${ms} ms pass`, (world) => world.pass(ms)));
const ending = fc.constantFrom(0, 1, null).map((code) => act(`it ends with ${code}`, (world) => world.end(code)));
const beating = fc.constantFrom("working", "waiting", "idle").map((state) =>
  act(`a heartbeat reports ${state}`, (world) => {
    world.heartbeat = { state, task: "t" };
    world.beat();
  }),
);
const asking = fc.constantFrom(
  act("start", (world) => {
    // A process that runs, or is about to start, is not started again.
    if (!world.alive) world.expected.inRow = 0;
    requestByPerson(world, false);
    world.send({ type: "start" });
  }),
  act("stop", (world) => {
    requestByPerson(world, true);
    asked(world);
    world.send({ type: "stop", force: false });
  }),
  act("stop by force", (world) => {
    requestByPerson(world, true);
    world.forced = true;
    asked(world);
    world.send({ type: "stop", force: true });
  }),
  act("restart", (world) => {
    world.expected.inRow = 0;
    requestByPerson(world, false);
    asked(world);
    world.send({ type: "restart", force: false });
  }),
  act("wake", (world) => {
    if (!world.alive && !world.expected.stoppedByPerson) {
      world.expected.inRow = 0;
      world.expected.gaveUp = false;
    }
    world.send({ type: "wake" });
  }),
  act("it ignores SIGTERM", (world) => {
    world.ignoresSigterm = world.alive;
  }),
  act("it is stopped by a signal", (world) => {
    world.frozen = world.alive;
  }),
  act("it falls silent", (world) => {
    world.heartbeat = null;
  }),
);

// Ends and pauses come often enough for several failures in a row.
const anyAct = fc.oneof(
  { arbitrary: passing, weight: 5 },
  { arbitrary: ending, weight: 5 },
  { arbitrary: beating, weight: 2 },
  { arbitrary: asking, weight: 3 },
);

export const anyHistory = fc.commands([anyAct], { maxCommands: 120 });
