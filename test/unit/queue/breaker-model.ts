import { expect } from "vitest";
import {
  type BreakerChange,
  type BreakerSettings,
  type FailureKind,
  RATE_WINDOW_MS,
} from "../../../src/core/queue/breaker.ts";
import { CallBreakers } from "../../../src/core/queue/call-breakers.ts";
import type { FinishedTask } from "../../../src/core/queue/task.ts";
import fc from "../../fast-check.ts";

interface ModelCall {
  readonly id: string;
  readonly beganMs: number;
  readonly endsMs: number;
  /** The caller has an answer or has given up. */
  over: boolean;
  /** The queue has the end of it. */
  ended: boolean;
  /** The queue was not restarted since. */
  known: boolean;
}

/** One that ended, or whose caller gave up. */
interface ModelEnd {
  readonly call: ModelCall;
  readonly atMs: number;
  readonly failed: boolean;
}

/**
 * The breaker as slow and obvious as it can be: the list of all ends since it closed, which is counted anew each time.
 * It looks at the clock in each step, and the calls that were let through are a list.
 */
export class ModelBreaker {
  nowMs = 1_000_000;
  state: "closed" | "open" | "half_open" = "closed";
  closedSinceMs = 0;
  untilMs = 0;
  failedProbes = 0;
  probe: ModelCall | undefined;
  ends: ModelEnd[] = [];
  /** Ends before a restart count for the row of failures alone. */
  forgottenEnds = 0;
  readonly calls: ModelCall[] = [];
  /** Number of probes that were let through since the breaker was last open. */
  probes = 0;
  readonly settings: BreakerSettings;

  constructor(settings: BreakerSettings) {
    this.settings = settings;
  }

  get running(): ModelCall[] {
    return this.calls.filter(({ ended }) => !ended);
  }

  /** Callers who waited for too long have given up, in the order of their time-outs. */
  see(untilMs = this.nowMs): void {
    const late = this.calls.filter(({ endsMs, over, known }) => !over && known && endsMs <= untilMs);
    for (const call of late.toSorted((a, b) => a.endsMs - b.endsMs)) this.end(call, true, call.endsMs);
  }

  /** What was only in memory is gone. */
  restart(): void {
    this.forgottenEnds = this.ends.length;
    if (this.state === "closed" && this.ends.at(-1)?.failed !== true) this.closedSinceMs = 0;
    for (const call of this.running) {
      call.known = false;
      // Whether its caller's giving up was counted is not known any more: its late end counts.
      call.over = false;
    }
  }

  end(call: ModelCall, failed: boolean, atMs: number): void {
    call.over = true;
    if (this.state === "half_open" && this.probe === call) {
      if (failed) this.#open(this.failedProbes + 1, atMs);
      else {
        this.state = "closed";
        this.closedSinceMs = atMs;
        this.ends = [];
        this.forgottenEnds = 0;
      }
    } else if (this.state === "closed" && call.beganMs >= this.closedSinceMs) {
      this.ends.push({ call, atMs, failed });
      if (failed && (this.#tooManyInARow() || this.#tooLargeAShare(atMs))) this.#open(0, atMs);
    }
  }

  /** @returns whether the call is let through */
  admit(call: ModelCall): boolean {
    if (this.state === "half_open" && this.probe !== undefined && this.probe.endsMs <= this.nowMs)
      this.end(this.probe, true, this.probe.endsMs);
    if (this.state === "closed") return true;
    if (this.state === "half_open" || this.nowMs < this.untilMs) return false;
    this.state = "half_open";
    this.probe = call;
    this.probes += 1;
    return true;
  }

  #open(failedProbes: number, atMs: number): void {
    this.state = "open";
    this.failedProbes = failedProbes;
    let openMs = this.settings.breaker_open_ms;
    for (let n = 0; n < failedProbes; n++) openMs *= 2;
    const longest = Math.max(this.settings.breaker_open_ms, this.settings.breaker_open_max_ms);
    this.untilMs = atMs + Math.min(openMs, longest);
    this.probe = undefined;
    this.probes = 0;
    this.ends = [];
    this.forgottenEnds = 0;
  }

  #tooManyInARow(): boolean {
    const { breaker_failures: limit } = this.settings;
    const lastAnswer = this.ends.findLastIndex(({ failed }) => !failed);
    return limit !== null && this.ends.length - 1 - lastAnswer >= limit;
  }

  #tooLargeAShare(nowMs: number): boolean {
    const { breaker_rate: limit, breaker_calls: count } = this.settings;
    const latest = this.ends.slice(this.forgottenEnds).slice(-count);
    if (limit === null || latest.length < count) return false;
    if (latest.some(({ atMs }) => atMs <= nowMs - RATE_WINDOW_MS || atMs > nowMs)) return false;
    return latest.filter(({ failed }) => failed).length / count >= limit;
  }
}

/** The breakers of the core, of which only one recipient is called, with what they have stored and emitted. */
export class BreakersUnderTest {
  readonly stored = new Map<string, string>();
  readonly changes: BreakerChange[] = [];
  writes = 0;
  readonly #settings: BreakerSettings;
  breakers: CallBreakers;

  constructor(settings: BreakerSettings) {
    this.#settings = settings;
    this.breakers = new CallBreakers(() => settings, []);
  }

  get state(): string {
    return this.breakers.open[0]?.[1].state ?? "closed";
  }

  drain(): void {
    const { stored, changes } = this.breakers.drain();
    this.changes.push(...changes);
    this.writes += stored.length;
    for (const [recipient, state] of stored) {
      if (state === undefined) this.stored.delete(recipient);
      else this.stored.set(recipient, JSON.stringify(state));
    }
  }

  /** The object wakes with what is stored. */
  restart(): void {
    this.breakers = new CallBreakers(
      () => this.#settings,
      [...this.stored].map(([recipient, state]) => [recipient, JSON.parse(state)] as const),
    );
  }
}

/** The end of a call as the queue records it. */
export function anEnd(
  { id, beganMs, endsMs }: { readonly id: string; readonly beganMs: number; readonly endsMs: number },
  finishedMs: number,
  end: FailureKind | "answered" | "refused" | "cancelled",
): FinishedTask {
  const outcome = { answered: "complete", refused: "failed", cancelled: "cancelled", no_listener: "expired" } as const;
  return {
    seq: 1,
    taskId: id,
    recipient: "oracle",
    type: "ASK",
    sender: null,
    priority: 5,
    createdMs: beganMs,
    maxAttempts: 3,
    timeoutMs: null,
    deadlineAtMs: endsMs,
    caller: "http",
    cause: null,
    outcome: end === "timeout" || end === "error" ? "failed" : outcome[end],
    finishedMs,
    attempt: end === "refused" ? 1 : end === "no_listener" ? 0 : 3,
    worker: null,
    leaseId: null,
    resultJson: null,
    error: null,
    waitedMs: 0,
    ranMs: 0,
    history: [],
  };
}

type Step = fc.Command<ModelBreaker, BreakersUnderTest>;

/** Checks after each step what must hold whatever happened. */
function agree(model: ModelBreaker, real: BreakersUnderTest): void {
  real.drain();
  expect(real.state).toBe(model.state);
  expect(model.probes).toBeLessThanOrEqual(1);
  expect(real.stored.size).toBe(model.state !== "closed" || model.ends.at(-1)?.failed === true ? 1 : 0);
}

const called = (timeoutMs: number): Step => ({
  check: () => true,
  run: (model, real) => {
    model.see();
    const call = {
      id: `c${model.calls.length}`,
      beganMs: model.nowMs,
      endsMs: model.nowMs + timeoutMs,
      over: false,
      ended: false,
      known: true,
    };
    const admitted = model.admit(call);
    const wait = real.breakers.admit("oracle", call, model.nowMs);
    expect(wait === undefined).toBe(admitted);
    if (admitted) model.calls.push(call);
    // The caller is told a time at which the state is another one, or may be: a probe mostly ends before its time.
    else {
      const asked = Math.min(model.probe?.endsMs ?? 0, model.nowMs + model.settings.breaker_open_ms);
      expect(wait?.nextProbeMs).toBe(model.state === "open" ? model.untilMs : asked);
    }
    if (!admitted) expect(wait?.nextProbeMs).toBeGreaterThan(model.nowMs);
    agree(model, real);
  },
  toString: () => `call, ${timeoutMs} ms`,
});

const ends = (which: number, end: "answered" | "refused" | "error"): Step => ({
  check: (model) => model.running.length > 0,
  run: (model, real) => {
    const call = model.running[which % model.running.length] as ModelCall;
    call.ended = true;
    // What ends at the very time is in time.
    model.see(model.nowMs - 1);
    if (!call.over) model.end(call, end === "error" || call.endsMs < model.nowMs, model.nowMs);
    real.breakers.finished(anEnd(call, model.nowMs, end), model.nowMs);
    model.see();
    real.breakers.advanceClock(model.nowMs);
    agree(model, real);
  },
  toString: () => `end of call ${which}: ${end}`,
});

const passes = (ms: number): Step => ({
  check: () => true,
  run: (model) => {
    model.nowMs += ms;
  },
  toString: () => `${ms} ms pass`,
});

const restarts: Step = {
  check: () => true,
  run: (model, real) => {
    model.restart();
    real.restart();
    agree(model, real);
  },
  toString: () => "restart",
};

const OPEN_MS = 10_000;

/** Times around the limits: of callers, of the open time, of the window. */
const anyMs = fc.constantFrom(0, 1, 999, 1_000, 1_001, OPEN_MS - 1, OPEN_MS, OPEN_MS + 1, 2 * OPEN_MS, RATE_WINDOW_MS);

export const anyBreakerHistory = fc.commands(
  [
    fc.constantFrom(1_000, 5_000, 60_000).map(called),
    fc.constantFrom(1_000, 5_000).map(called),
    fc
      .tuple(fc.nat(9), fc.constantFrom("answered" as const, "refused" as const, "error" as const))
      .map(([which, end]) => ends(which, end)),
    fc.nat(9).map((which) => ends(which, "error")),
    anyMs.map(passes),
    fc.constant(restarts),
  ],
  { maxCommands: 50 },
);
