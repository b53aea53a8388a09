import { describe, expect, it } from "vitest";
import { RATES, useOf } from "../../../src/core/limits/amounts.ts";
import { dayAt } from "../../../src/core/limits/days.ts";
import { LimitMachine } from "../../../src/core/limits/machine.ts";
import { LimitInput, type LimitSettings } from "../../../src/core/limits/settings.ts";
import { LimitState, newState } from "../../../src/core/limits/state.ts";
import fc from "../../fast-check.ts";
import { MemoryLedger } from "./ledger-under-test.ts";

const START = Date.UTC(2026, 0, 31, 22, 50);
const MINUTE = 60_000;

const amounts = fc.record({
  requests: fc.integer({ min: 0, max: 4 }),
  input_tokens: fc.integer({ min: 0, max: 60 }),
  output_tokens: fc.integer({ min: 0, max: 60 }),
  usd: fc.integer({ min: 0, max: 60 }).map((cents) => cents / 100),
});
const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant("reserve" as const), amounts }) },
  {
    weight: 5,
    arbitrary: fc.record({ do: fc.constant("settle" as const), which: fc.nat(40), amounts, well: fc.boolean() }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("settle-unknown" as const), which: fc.nat(3), amounts }) },
  { weight: 5, arbitrary: fc.record({ do: fc.constant("wait" as const), ms: fc.integer({ min: 0, max: 90_000 }) }) },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant("set-back" as const), ms: fc.integer({ min: 0, max: 86_400_000 }) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant("close" as const),
      forMs: fc.option(fc.integer({ min: 0, max: 100_000 }), { nil: undefined }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("restart" as const) }) },
);
const settings = fc
  .record(
    {
      requests_per_minute: fc.integer({ min: 1, max: 10 }),
      input_tokens_per_minute: fc.integer({ min: 1, max: 200 }),
      output_tokens_per_minute: fc.integer({ min: 1, max: 200 }),
      concurrency: fc.integer({ min: 1, max: 5 }),
      usd_per_day: fc.integer({ min: 1, max: 300 }).map((cents) => cents / 100),
      zone: fc.constantFrom("UTC", "Europe/Berlin", "Pacific/Chatham"),
      reservation_seconds: fc.integer({ min: 1, max: 200 }),
      ramp_seconds: fc.integer({ min: 0, max: 120 }),
    },
    { requiredKeys: [] },
  )
  .map((given) => LimitInput.parse(given));

/** What was granted, as a bookkeeper would note it who knows no windows, phases or days of the machine. */
interface Grant {
  readonly id: string;
  /** Time that passed, whatever clocks showed. */
  readonly atMs: number;
  readonly day: number;
  readonly asked: ReturnType<typeof useOf>;
  /** The smaller of what was asked for and what was used. */
  kept: ReturnType<typeof useOf>;
  held: boolean;
}

const NO = { requests: 0, input_tokens: 0, output_tokens: 0, nanos: 0 };

class History {
  readonly ledger = new MemoryLedger();
  readonly grants: Grant[] = [];
  readonly #settings: LimitSettings;
  state = newState(START);
  clockMs = START;
  passedMs = 0;
  closedUntil: number | undefined;

  constructor(given: LimitSettings) {
    this.#settings = given;
  }

  machine(): LimitMachine {
    const machine = new LimitMachine("api", this.#settings, this.state, this.ledger);
    machine.advance(this.clockMs);
    for (const grant of this.grants) {
      if (!grant.held || this.passedMs < grant.atMs + this.#settings.reservation_seconds * 1_000) continue;
      grant.held = false;
      grant.kept = NO;
    }
    return machine;
  }

  reserve(given: Parameters<typeof useOf>[0]): void {
    const asked = useOf(given, NO);
    const id = `r${this.grants.length}`;
    const machine = this.machine();
    const expected = this.closedUntil !== undefined && this.passedMs < this.closedUntil;
    const refused = machine.reserve(id, asked);
    if (expected) expect(refused?.why).toMatch(/closed|too_large/);
    if (refused !== undefined) {
      expect(this.ledger.read(id)).toBeUndefined();
      return;
    }
    const day = dayAt(this.clockMs, this.#settings.zone);
    this.grants.push({ id, atMs: this.passedMs, day, asked, kept: asked, held: true });
    this.check(day);
  }

  /** Right after a grant: it broke nothing. */
  check(day: number): void {
    const { concurrency, usd_per_day } = this.#settings;
    for (const rate of RATES) {
      const limit = this.#settings[`${rate}_per_minute`];
      if (limit === undefined) continue;
      const granted = this.grants.filter(({ atMs }) => atMs > this.passedMs - MINUTE);
      expect(granted.reduce((sum, { kept }) => sum + kept[rate], 0)).toBeLessThanOrEqual(limit);
    }
    if (concurrency !== undefined)
      expect(this.grants.filter(({ held }) => held).length).toBeLessThanOrEqual(concurrency);
    if (usd_per_day !== undefined) {
      const ofDay = this.grants.filter((grant) => grant.day === day);
      expect(ofDay.reduce((sum, { kept }) => sum + kept.nanos, 0)).toBeLessThanOrEqual(usd_per_day * 1e9 + 1);
    }
  }

  settle(which: number, given: Parameters<typeof useOf>[0], well: boolean): void {
    const grant = this.grants[which % Math.max(1, this.grants.length)];
    if (grant === undefined) return;
    const machine = this.machine();
    const used = useOf(given, NO);
    const before = this.ledger.read(grant.id)?.state;
    const as = machine.settle(grant.id, () => used, well);
    expect(as).toBe(before === "settled" ? "repeated" : grant.held ? "settled" : "expired");
    if (as === "settled")
      grant.kept = {
        requests: Math.min(grant.asked.requests, used.requests),
        input_tokens: Math.min(grant.asked.input_tokens, used.input_tokens),
        output_tokens: Math.min(grant.asked.output_tokens, used.output_tokens),
        nanos: Math.min(grant.asked.nanos, used.nanos),
      };
    grant.held = false;
    const again = JSON.stringify(this.state);
    expect(machine.settle(grant.id, () => ({ ...used, nanos: used.nanos + 1 }), well)).toBe("repeated");
    expect(JSON.stringify(this.state)).toBe(again);
  }
}

describe("limits, over 1,000 histories with clocks that jump, restarts, repeats and reservations that nobody settles", () => {
  it("grants no more than the limit in any minute, at any time and on any day, and nothing to anybody while it is closed", () => {
    fc.assert(
      fc.property(settings, fc.array(step, { maxLength: 120 }), (given, steps) => {
        const history = new History(given);
        for (const one of steps) {
          if (one.do === "reserve") history.reserve(one.amounts);
          else if (one.do === "settle") history.settle(one.which, one.amounts, one.well);
          else if (one.do === "settle-unknown") history.machine().settle(`x${one.which}`, () => useOf(one.amounts, NO));
          else if (one.do === "wait") {
            history.clockMs += one.ms;
            history.passedMs += one.ms;
          } else if (one.do === "set-back") {
            history.machine();
            history.clockMs -= one.ms;
            history.machine();
          } else if (one.do === "close") {
            const machine = history.machine();
            machine.close("429", one.forMs);
            const { closing } = history.state;
            if (closing?.phase === "closed")
              history.closedUntil = history.passedMs + closing.untilMs - history.state.ownMs;
          } else history.state = LimitState.parse(JSON.parse(JSON.stringify(history.state)));
        }
      }),
      { numRuns: 1_000 },
    );
  });

  it("has all of it back when nobody settles anything", () => {
    fc.assert(
      fc.property(settings, fc.array(amounts, { maxLength: 40 }), (given, asks) => {
        const history = new History(given);
        for (const ask of asks) history.reserve(ask);
        history.clockMs += given.reservation_seconds * 1_000;
        history.passedMs += given.reservation_seconds * 1_000;
        history.machine();
        expect(history.state.held).toBe(0);
        expect(history.state.days.every(({ held, spent }) => held === 0 && spent === 0)).toBe(true);
        for (const rate of RATES) expect(history.state[rate].every(([, amount]) => amount === 0)).toBe(true);
      }),
      { numRuns: 1_000 },
    );
  });
});
