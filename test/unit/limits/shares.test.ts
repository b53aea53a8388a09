import { describe, expect, it } from "vitest";
import { NO_USE, nanosOf, type Use } from "../../../src/core/limits/amounts.ts";
import { LimitMachine } from "../../../src/core/limits/machine.ts";
import { LimitInput, type LimitSettings } from "../../../src/core/limits/settings.ts";
import { ShareBlock } from "../../../src/core/limits/share-block.ts";
import { newState } from "../../../src/core/limits/state.ts";
import fc from "../../fast-check.ts";
import { MemoryLedger } from "./ledger-under-test.ts";

const START = Date.UTC(2026, 0, 31, 12);
const HOSTS = 3;

const use = fc.record({
  requests: fc.constant(1),
  input_tokens: fc.integer({ min: 0, max: 30 }),
  output_tokens: fc.constant(0),
  nanos: fc.integer({ min: 0, max: 20 }).map((cents) => nanosOf(cents / 100)),
});
const host = fc.nat(HOSTS - 1);
const step = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant("block" as const),
      host,
      requests: fc.integer({ min: 1, max: 6 }),
      tokens: fc.integer({ min: 0, max: 100 }),
      cents: fc.integer({ min: 0, max: 60 }),
      calls: fc.integer({ min: 1, max: 3 }),
      seconds: fc.integer({ min: 1, max: 30 }),
    }),
  },
  { weight: 8, arbitrary: fc.record({ do: fc.constant("call" as const), host, use }) },
  { weight: 6, arbitrary: fc.record({ do: fc.constant("end" as const), which: fc.nat(20), part: fc.nat(2) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("settle" as const), host }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("alone" as const), use }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("die" as const), host }) },
  { weight: 5, arbitrary: fc.record({ do: fc.constant("wait" as const), ms: fc.integer({ min: 0, max: 20_000 }) }) },
);
const settings = fc
  .record(
    {
      requests_per_minute: fc.integer({ min: 1, max: 12 }),
      input_tokens_per_minute: fc.integer({ min: 1, max: 200 }),
      concurrency: fc.integer({ min: 1, max: 5 }),
      usd_per_day: fc.integer({ min: 1, max: 300 }).map((cents) => cents / 100),
    },
    { requiredKeys: [] },
  )
  .map((given) => LimitInput.parse({ ...given, reservation_seconds: 86_400 }));

interface Made {
  readonly atMs: number;
  readonly took: Use;
  used: Use;
}

/** Hosts with shares, and callers that reserve alone; and a provider who notes each call. */
class Fleet {
  readonly #settings: LimitSettings;
  readonly #state = newState(START);
  readonly #ledger = new MemoryLedger();
  readonly #blocks = new Map<number, ShareBlock>();
  readonly #open: { block: ShareBlock; call: number; made: Made }[] = [];
  /** Calls that each block has room for at a time. */
  readonly #rooms = new Map<string, number>();
  readonly made: Made[] = [];
  nowMs = START;
  /** Money of blocks whose host died: nobody says what was used of it. */
  lostNanos = 0;
  #number = 0;

  constructor(given: LimitSettings) {
    this.#settings = given;
  }

  #machine(): LimitMachine {
    const machine = new LimitMachine("api", this.#settings, this.#state, this.#ledger);
    machine.advance(this.nowMs);
    return machine;
  }

  block(at: number, amounts: Partial<Use>, calls: number, seconds: number): void {
    const id = `b${this.#number++}`;
    this.settle(at);
    if (this.#machine().reserve(id, amounts, {}, { calls, seconds }) !== undefined) return;
    const untilMs = this.nowMs + seconds * 800;
    this.#blocks.set(at, new ShareBlock({ reservation: id, amounts, calls, untilMs }));
    this.#rooms.set(id, calls);
    this.check();
  }

  call(at: number, took: Use): void {
    const block = this.#blocks.get(at);
    const call = block?.take(took, this.nowMs);
    if (block === undefined || call === undefined) return;
    const made = { atMs: this.nowMs, took, used: took };
    this.made.push(made);
    this.#open.push({ block, call, made });
    this.check();
  }

  end(which: number, part: number): void {
    const [open] = this.#open.splice(which % Math.max(1, this.#open.length), 1);
    if (open === undefined) return;
    const { block, call, made } = open;
    const isOver = ![...this.#blocks.values()].includes(block);
    const used = { ...made.took, input_tokens: Math.floor(made.took.input_tokens / (part + 1)) };
    block.end(call, () => used);
    // What was settled as it was taken does not come back.
    if (!isOver) made.used = used;
  }

  settle(at: number): void {
    const block = this.#blocks.get(at);
    if (block === undefined) return;
    this.#blocks.delete(at);
    const { taken } = block;
    this.#machine().settle(block.reservation, () => taken);
  }

  alone(took: Use): void {
    const id = `a${this.#number++}`;
    const machine = this.#machine();
    if (machine.reserve(id, took) !== undefined) return;
    this.made.push({ atMs: this.nowMs, took, used: took });
    this.check();
    machine.settle(id, (reserved) => reserved);
  }

  die(at: number): void {
    const block = this.#blocks.get(at);
    if (block === undefined) return;
    this.#blocks.delete(at);
    this.lostNanos += block.taken.nanos;
    for (let place = this.#open.length - 1; place >= 0; place--)
      if (this.#open[place]?.block === block) this.#open.splice(place, 1);
  }

  /** A host settles its block in time, at the latest; also where the clock goes on by more than that. */
  wait(ms: number): void {
    for (let left = ms; left > 0; left -= 100) {
      this.nowMs += Math.min(100, left);
      for (const [at, block] of this.#blocks) if (this.nowMs >= block.untilMs) this.settle(at);
    }
  }

  /** What the provider sees is within the limit. */
  check(): void {
    const { requests_per_minute: requests, input_tokens_per_minute: tokens, concurrency, usd_per_day } = this.#settings;
    const recent = this.made.filter(({ atMs }) => atMs > this.nowMs - 60_000);
    const sum = (of: readonly Made[], amount: (made: Use) => number) =>
      of.reduce((total, { used }) => total + amount(used), 0);
    if (requests !== undefined) expect(recent.length).toBeLessThanOrEqual(requests);
    if (tokens !== undefined) expect(sum(recent, (made) => made.input_tokens)).toBeLessThanOrEqual(tokens);
    if (concurrency !== undefined) {
      const held = this.#open.filter(({ block }) => [...this.#blocks.values()].includes(block));
      expect(held.length).toBeLessThanOrEqual(concurrency);
      const rooms = [...this.#blocks.values()].map(({ reservation }) => this.#rooms.get(reservation) ?? 0);
      expect(rooms.reduce((total, room) => total + room, 0)).toBeLessThanOrEqual(concurrency);
    }
    if (usd_per_day !== undefined)
      expect(sum(this.made, (made) => made.nanos) - this.lostNanos).toBeLessThanOrEqual(usd_per_day * 1e9 + 1);
  }
}

describe("shares and reservations, over 1,000 histories of hosts that settle, end late, and die", () => {
  it("are never more together than the limit, as the provider counts it", () => {
    fc.assert(
      fc.property(settings, fc.array(step, { maxLength: 120 }), (given, steps) => {
        const fleet = new Fleet(given);
        for (const one of steps) {
          if (one.do === "block") {
            const amounts = { requests: one.requests, input_tokens: one.tokens, nanos: nanosOf(one.cents / 100) };
            fleet.block(one.host, amounts, one.calls, one.seconds);
          } else if (one.do === "call") fleet.call(one.host, one.use);
          else if (one.do === "end") fleet.end(one.which, one.part);
          else if (one.do === "settle") fleet.settle(one.host);
          else if (one.do === "alone") fleet.alone(one.use);
          else if (one.do === "die") fleet.die(one.host);
          else fleet.wait(one.ms);
        }
      }),
      { numRuns: 1_000 },
    );
  });

  it("come back when their host dies: money and room at once, and requests a minute later", () => {
    const limit = LimitInput.parse({ requests_per_minute: 10, concurrency: 4, usd_per_day: 1 });
    const state = newState(START);
    const ledger = new MemoryLedger();
    const at = (ms: number) => {
      const machine = new LimitMachine("api", limit, state, ledger);
      machine.advance(START + ms);
      return machine;
    };
    expect(at(0).reserve("b", { requests: 10, nanos: 1e9 }, {}, { calls: 4, seconds: 10 })).toBeUndefined();
    expect(at(9_000).look({ requests: 1 })).toMatchObject({ why: "usd_per_day" });
    expect(at(10_000).look({ requests: 1 })).toMatchObject({ why: "requests_per_minute" });
    expect([state.held, state.days[0]?.held]).toEqual([0, 0]);
    expect(at(72_000).look({ requests: 10, nanos: 1e9 }, 4)).toBeUndefined();
  });

  it("do not try whether a provider takes requests again: one call does", () => {
    const state = newState(START);
    const machine = new LimitMachine("api", LimitInput.parse({}), state, new MemoryLedger());
    machine.close("429", 1_000);
    machine.advance(START + 1_000);
    expect(machine.look({ requests: 1 }, 2)).toMatchObject({ why: "probing" });
    expect(machine.look({ requests: 1 })).toBeUndefined();
  });
});

describe("a block of a share", () => {
  it("gives out what it has, takes back what was not used, and says what was used beyond", () => {
    const block = new ShareBlock({
      reservation: "r-1",
      amounts: { requests: 4, nanos: 100 },
      calls: 2,
      untilMs: 1_000,
    });
    const first = block.take({ nanos: 60 }, 0);
    expect(block.take({ nanos: 60 }, 0)).toBeUndefined();
    const second = block.take({ nanos: 40 }, 0);
    expect([block.take({}, 0), block.isLow()]).toEqual([undefined, true]);
    expect(block.end(first ?? 0, (took) => ({ ...took, nanos: 10 }))).toEqual(NO_USE);
    expect(block.end(second ?? 0, (took) => ({ ...took, nanos: 90 }))).toEqual({ ...NO_USE, nanos: 50 });
    expect([block.taken, block.open]).toEqual([{ ...NO_USE, requests: 2, nanos: 50 }, 0]);
    expect(block.take({ nanos: 1, input_tokens: 1 }, 0)).toBeUndefined();
    expect(block.take({ nanos: 1 }, 1_000)).toBeUndefined();
    expect(block.end(7, (took) => took)).toEqual(NO_USE);
  });
});
