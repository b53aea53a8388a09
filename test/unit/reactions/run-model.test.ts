import { expect, test } from "vitest";
import {
  accept,
  begin,
  complete,
  fail,
  interrupt,
  MAX_CRASHES,
  type Run,
  type RunPolicy,
  replay,
} from "../../../src/core/reactions/run.ts";
import fc from "../../fast-check.ts";

/** A run as the disk holds it, and the reports that were written with it. */
interface Real {
  run: Run;
  completions: number;
  failures: number;
}

/** Slow and obvious: counts what happened instead of keeping a state. */
interface Model {
  policy: RunPolicy;
  nowMs: number;
  failed: number;
  crashes: number;
  running: boolean;
  over: "done" | "dead" | undefined;
}

const write = (real: Real, run: Run) => {
  if (run.state === "done") real.completions++;
  if (run.state === "dead") real.failures++;
  real.run = run;
};

function agree(model: Model, real: Real): void {
  const state = model.over ?? (model.running ? "running" : "pending");
  expect(real.run.state).toBe(state);
  expect(real.completions).toBe(model.over === "done" ? 1 : 0);
  expect(real.run.crashes).toBe(model.crashes);
  if (!model.running) expect(real.run.attempts).toBe(model.failed + (model.over === "done" ? 1 : 0));
}

class Begin implements fc.Command<Model, Real> {
  check = (model: Model) => !model.running;
  run(model: Model, real: Real) {
    const begun = begin(real.run, model.policy, model.nowMs);
    if (begun === undefined) {
      const waits = real.run.state === "pending" && real.run.notBeforeMs > model.nowMs;
      expect(model.over !== undefined || waits).toBe(true);
      return;
    }
    expect(model.over).toBeUndefined();
    model.running = true;
    write(real, begun);
    agree(model, real);
  }
  toString = () => "begin";
}

class End implements fc.Command<Model, Real> {
  readonly how: "complete" | "fail" | "refuse";
  readonly random: number;
  constructor(how: "complete" | "fail" | "refuse", random: number) {
    this.how = how;
    this.random = random;
  }
  check = (model: Model) => model.running;
  run(model: Model, real: Real) {
    model.running = false;
    if (this.how === "complete") {
      model.over = "done";
      write(real, complete(real.run));
      return agree(model, real);
    }
    model.failed++;
    const retry = this.how === "fail";
    const run = fail(real.run, { error: "it failed", retry }, model.policy, model.nowMs, this.random);
    if (!retry || model.failed >= model.policy.attempts) model.over = "dead";
    else if (run.state === "pending") {
      expect(run.notBeforeMs).toBeGreaterThanOrEqual(model.nowMs + Math.floor(model.policy.backoff_ms / 2));
      expect(run.notBeforeMs).toBeLessThanOrEqual(model.nowMs + model.policy.backoff_max_ms);
    }
    write(real, run);
    agree(model, real);
  }
  toString = () => this.how;
}

/** A crash while nothing runs changes nothing: the state is all on the disk. */
class Interrupt implements fc.Command<Model, Real> {
  readonly how: "crash" | "stop";
  constructor(how: "crash" | "stop") {
    this.how = how;
  }
  check = (model: Model) => model.running;
  run(model: Model, real: Real) {
    model.running = false;
    if (this.how === "crash") model.crashes++;
    if (model.policy.on_crash === "report" || (this.how === "crash" && model.crashes >= MAX_CRASHES))
      model.over = "dead";
    write(real, interrupt(real.run, this.how, model.policy, model.nowMs));
    agree(model, real);
  }
  toString = () => this.how;
}

class Replay implements fc.Command<Model, Real> {
  check = (model: Model) => !model.running;
  run(model: Model, real: Real) {
    const again = replay(real.run, model.nowMs);
    expect(again !== undefined).toBe(model.over === "dead");
    if (again === undefined) return;
    Object.assign(model, { over: undefined, failed: 0, crashes: 0 });
    write(real, again);
    agree(model, real);
  }
  toString = () => "replay";
}

class PassTime implements fc.Command<Model, Real> {
  readonly ms: number;
  constructor(ms: number) {
    this.ms = ms;
  }
  check = () => true;
  run(model: Model) {
    model.nowMs += this.ms;
  }
  toString = () => `${this.ms} ms`;
}

const anyPolicy = fc.record({
  attempts: fc.constantFrom(1, 2, 3),
  backoff_ms: fc.constantFrom(1, 1_000),
  backoff_max_ms: fc.constantFrom(1_000, 2_000),
  on_crash: fc.constantFrom<"retry" | "report">("retry", "report"),
});
const anyHistory = fc.commands(
  [
    fc.constant(new Begin()),
    fc
      .tuple(
        fc.constantFrom<"complete" | "fail" | "refuse">("complete", "fail", "fail", "refuse"),
        fc.constantFrom(0, 0.5, 0.999),
      )
      .map(([how, random]) => new End(how, random)),
    fc.constantFrom<"crash" | "stop">("crash", "stop").map((how) => new Interrupt(how)),
    fc.constant(new Replay()),
    fc.constantFrom(1, 499, 500, 999, 1_000, 2_000, -86_400_000).map((ms) => new PassTime(ms)),
  ],
  { maxCommands: 100 },
);

test("after any failures and crashes, a run has as many attempts as its settings allow and ends with one report", () => {
  fc.assert(
    fc.property(anyPolicy, anyHistory, (policy, history) => {
      const nowMs = 1_000_000_000;
      const model: Model = { policy, nowMs, failed: 0, crashes: 0, running: false, over: undefined };
      const real: Real = { run: accept(nowMs), completions: 0, failures: 0 };
      fc.modelRun(() => ({ model, real }), history);
      expect(real.completions).toBeLessThanOrEqual(1);
    }),
    { numRuns: 1_000 },
  );
});

test("a run waits no longer than the longest back-off after the clock was set back", () => {
  const policy: RunPolicy = { attempts: 2, backoff_ms: 1_000, backoff_max_ms: 2_000, on_crash: "retry" };
  const waiting: Run = { state: "pending", attempts: 1, crashes: 0, notBeforeMs: 1_000_000 };
  expect(begin(waiting, policy, 999_000)).toBeUndefined();
  // The longest back-off, to the millisecond.
  expect(begin(waiting, policy, 998_000)).toBeUndefined();
  expect(begin(waiting, policy, 997_999)?.state).toBe("running");
  expect(begin(waiting, policy, 10_000)?.state).toBe("running");
});
