import { expect } from "vitest";
import type { Heartbeat } from "../../../src/core/supervisor/heartbeat.ts";
import type { ProcessAction, ProcessEvent } from "../../../src/core/supervisor/process-protocol.ts";
import { HUNG_STOP_MS, type ProcessRules } from "../../../src/core/supervisor/process-rules.ts";
import { SupervisedProcess } from "../../../src/core/supervisor/supervised-process.ts";
import fc from "../../fast-check.ts";

/** What a person expects, kept in the plainest way. */
export class Expectations {
  stoppedByPerson = false;
  inRow = 0;
  gaveUp = false;
  /** Its end, when it comes, is a failure. */
  failing = false;
  /** Its last end was a failure: it comes back after a pause, and otherwise at once. */
  backsOff = false;
}

/**
 * A machine with one supervised process on it, as the supervisor's shell would drive it: what it is told to do happens
 * at once, and `due` comes exactly when it was asked for. It objects to whatever must never be done.
 */
export class World {
  readonly process: SupervisedProcess;
  readonly announced: { readonly signal: string; readonly facts: Readonly<Record<string, unknown>> }[] = [];
  nowMs = 1_000;
  alive = false;
  spawns = 0;
  /** A process that catches SIGTERM and does nothing about it. */
  deaf = false;
  frozen = false;
  /** Said again each second, as long as the process is not frozen. */
  says: Heartbeat | null = null;
  startedMs = 0;
  lastBeatMs = 0;
  terminatedMs: number | null = null;
  forced = false;
  /** How it ended, while nobody has seen that yet. */
  #ended: { readonly code: number | null; readonly signal: string | null } | null = null;
  readonly rules: ProcessRules;
  readonly expected: Expectations;

  constructor(rules: ProcessRules, expected = new Expectations()) {
    this.rules = rules;
    this.expected = expected;
    this.process = new SupervisedProcess(rules, "started");
    this.tell({ type: "wake" });
  }

  get phase() {
    return this.process.view(this.nowMs).phase;
  }

  tell(event: ProcessEvent): void {
    for (const action of this.process.handle(event, this.nowMs)) this.#carryOut(action);
    // An end is seen after what was decided in one go has been done: until then its number is nobody else's.
    const ended = this.#ended;
    this.#ended = null;
    if (ended !== null) this.#gone(ended.code, ended.signal);
  }

  /** The process ends by itself, or is ended by somebody else. */
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
        this.alive && this.says !== null && !this.frozen ? this.lastBeatMs + 1_000 : Number.POSITIVE_INFINITY;
      this.nowMs = Math.max(this.nowMs, Math.min(endMs, due, beat));
      if (beat <= this.nowMs) this.beat();
      if (due <= this.nowMs) {
        this.#measure();
        this.tell({ type: "due" });
      }
    }
    this.check();
  }

  beat(): void {
    if (!this.alive || this.frozen || this.says === null) return;
    this.lastBeatMs = this.nowMs;
    this.tell({ type: "heartbeat", beat: this.says });
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
    this.tell({ type: "measured", reading });
  }

  #gone(code: number | null, signal: string | null): void {
    // One that ran for long enough had started well, whatever it ended of.
    if (this.nowMs - this.startedMs >= this.rules.stableMs) this.expected.inRow = 0;
    if (this.expected.failing && !this.expected.stoppedByPerson) {
      if (this.expected.inRow >= this.rules.maxRestarts) this.expected.gaveUp = true;
      else this.expected.inRow += 1;
    }
    this.expected.backsOff = this.expected.failing;
    this.expected.failing = false;
    this.alive = false;
    this.frozen = false;
    this.deaf = false;
    this.terminatedMs = null;
    this.forced = false;
    this.tell({ type: "exited", code, signal });
  }

  #carryOut(action: ProcessAction): void {
    if (action.do === "announce") {
      this.announced.push(action);
      if (action.signal === "Q_PROCESS_HUNG" && action.facts.action === "restarted") {
        const silent = this.nowMs - this.lastBeatMs >= this.rules.heartbeatMs;
        expect(silent || this.frozen || typeof this.says?.progress === "number").toBe(true);
        this.expected.failing = true;
      }
      return;
    }
    if (action.do === "spawn") {
      expect(this.alive, "two of a kind at once").toBe(false);
      expect(this.expected.stoppedByPerson, "a person had stopped it").toBe(false);
      this.alive = true;
      this.spawns += 1;
      this.startedMs = this.nowMs;
      this.lastBeatMs = this.nowMs;
      this.tell({ type: "spawned", pid: this.spawns });
      return;
    }
    expect(this.alive, `${action.signal} to nobody`).toBe(true);
    if (action.signal === "SIGCONT") this.frozen = false;
    if (action.signal === "SIGTERM") this.terminatedMs = this.nowMs;
    // One that is stopped takes SIGTERM when it goes on.
    if (this.terminatedMs !== null && !this.deaf && !this.frozen) this.#ended ??= { code: 0, signal: null };
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

const tellPerson = (world: World, stopped: boolean) => {
  world.expected.stoppedByPerson = stopped;
  world.expected.gaveUp = false;
};

/** Whoever asks for its end need not be told of it as a failure. */
const asked = (world: World) => {
  world.expected.failing = false;
};

const anyPause = fc.constantFrom(1, 499, 500, 999, 1_000, 1_999, 2_000, 3_999, 4_000, 9_999, 10_000, 29_999, 60_000);
const passing = anyPause.map((ms) => act(`${ms} ms pass`, (world) => world.pass(ms)));
const ending = fc.constantFrom(0, 1, null).map((code) => act(`it ends with ${code}`, (world) => world.end(code)));
const saying = fc.constantFrom("working", "waiting", "idle").map((state) =>
  act(`it says ${state}`, (world) => {
    world.says = { state, task: "t" };
    world.beat();
  }),
);
const asking = fc.constantFrom(
  act("start", (world) => {
    // One that runs, or is on its way, is not begun anew.
    if (!world.alive) world.expected.inRow = 0;
    tellPerson(world, false);
    world.tell({ type: "start" });
  }),
  act("stop", (world) => {
    tellPerson(world, true);
    asked(world);
    world.tell({ type: "stop", force: false });
  }),
  act("stop by force", (world) => {
    tellPerson(world, true);
    world.forced = true;
    asked(world);
    world.tell({ type: "stop", force: true });
  }),
  act("restart", (world) => {
    world.expected.inRow = 0;
    tellPerson(world, false);
    asked(world);
    world.tell({ type: "restart", force: false });
  }),
  act("wake", (world) => {
    if (!world.alive && !world.expected.stoppedByPerson) {
      world.expected.inRow = 0;
      world.expected.gaveUp = false;
    }
    world.tell({ type: "wake" });
  }),
  act("it becomes deaf", (world) => {
    world.deaf = world.alive;
  }),
  act("it is stopped by a signal", (world) => {
    world.frozen = world.alive;
  }),
  act("it falls silent", (world) => {
    world.says = null;
  }),
);

// Ends and pauses come often enough for several failures in a row.
const anyAct = fc.oneof(
  { arbitrary: passing, weight: 5 },
  { arbitrary: ending, weight: 5 },
  { arbitrary: saying, weight: 2 },
  { arbitrary: asking, weight: 3 },
);

export const anyHistory = fc.commands([anyAct], { maxCommands: 120 });
