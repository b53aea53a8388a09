import { describe, expect, it } from "vitest";
import { NO_USE, nanosOf, type Use } from "../../../src/core/limits/amounts.ts";
import { BudgetMachine } from "../../../src/core/limits/budgets/budget-machine.ts";
import { OTHERS } from "../../../src/core/limits/budgets/counter.ts";
import { BudgetInput, type BudgetSettings } from "../../../src/core/limits/budgets/settings.ts";
import { dayAt } from "../../../src/core/limits/days.ts";
import { LimitMachine } from "../../../src/core/limits/machine.ts";
import { LimitInput } from "../../../src/core/limits/settings.ts";
import { newState } from "../../../src/core/limits/state.ts";
import fc from "../../fast-check.ts";
import { MemoryCounters } from "./counters-under-test.ts";
import { MemoryLedger } from "./ledger-under-test.ts";

const START = Date.UTC(2026, 0, 31, 22, 50);
const NAMES = ["ada", "bob", "coder-1", "coder-2"];

const subject = fc.record(
  {
    agent: fc.constantFrom(...NAMES),
    task: fc.constantFrom("t1", "t2"),
    chain: fc.constantFrom("c1", "c2"),
  },
  { requiredKeys: [] },
);
const use = fc.record({
  requests: fc.constant(1),
  input_tokens: fc.integer({ min: 0, max: 60 }),
  output_tokens: fc.integer({ min: 0, max: 60 }),
  nanos: fc.integer({ min: 0, max: 60 }).map((cents) => nanosOf(cents / 100)),
});
const budget = fc
  .record(
    {
      scope: fc.constantFrom("agent", "task", "chain", "ecosystem"),
      match: fc.constantFrom("*", "coder-*", "ada", "t1"),
      tokens: fc.integer({ min: 1, max: 400 }),
      usd: fc.integer({ min: 1, max: 300 }).map((cents) => cents / 100),
      per: fc.constantFrom("day", "life"),
      zone: fc.constantFrom("UTC", "Europe/Berlin", "Pacific/Chatham"),
      at_end: fc.constantFrom("open", "closed"),
    },
    { requiredKeys: ["scope", "tokens"] },
  )
  .map((given) => BudgetInput.parse(given));
const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant("reserve" as const), subject, use }) },
  { weight: 5, arbitrary: fc.record({ do: fc.constant("settle" as const), which: fc.nat(40), use }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("unknown" as const), which: fc.nat(3), subject, use }) },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant("wait" as const), ms: fc.integer({ min: 0, max: 40_000_000 }) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant("set-back" as const), ms: fc.integer({ min: 0, max: 86_400_000 }) }),
  },
);

/** What was granted and used, as a bookkeeper would note it. */
interface Entry {
  readonly subject: Record<string, string>;
  readonly days: readonly number[];
  asked: Use;
  /** `undefined`: it is held. */
  used: Use | undefined;
}

const tokensOf = ({ input_tokens, output_tokens }: Use) => input_tokens + output_tokens;

class History {
  readonly #budgets: readonly { name: string; settings: BudgetSettings }[];
  readonly #limit = LimitInput.parse({ reservation_seconds: 86_400 });
  readonly #state = newState(START);
  readonly #ledger = new MemoryLedger();
  readonly #counters = new MemoryCounters();
  readonly #entries = new Map<string, Entry>();
  #granted = 0;
  clockMs = START;

  constructor(settings: readonly BudgetSettings[]) {
    this.#budgets = settings.map((one, place) => ({ name: `b${place}`, settings: one }));
  }

  machine(): LimitMachine {
    const spending = new BudgetMachine(this.#budgets, this.#counters, this.clockMs);
    const machine = new LimitMachine("api", this.#limit, this.#state, this.#ledger, spending);
    machine.advance(this.clockMs);
    for (const [id, entry] of this.#entries)
      if (this.#ledger.read(id)?.state === "expired" && entry.used === undefined) entry.used = NO_USE;
    return machine;
  }

  reserve(who: Record<string, string>, asked: Use): void {
    const id = `r${this.#granted}`;
    const machine = this.machine();
    const refused = machine.reserve(id, asked, who);
    const fits = this.#budgets.every(({ settings }) => this.#fits(settings, who, asked));
    expect([refused?.why, fits]).toEqual(fits ? [undefined, true] : ["budget", false]);
    if (refused !== undefined) return;
    this.#granted++;
    this.#entries.set(id, { subject: who, days: this.#days(), asked, used: undefined });
  }

  settle(which: number, used: Use): void {
    const id = `r${which % Math.max(1, this.#granted)}`;
    const machine = this.machine();
    const entry = this.#entries.get(id);
    if (entry === undefined) return;
    const as = machine.settle(id, () => used);
    if (as === "settled") entry.used = used;
    // What comes after its end is spent on the day on which it comes.
    if (as === "expired") this.#entries.set(`${id} late`, { ...entry, days: this.#days(), asked: used, used });
    expect(machine.settle(id, () => ({ ...used, nanos: used.nanos + 1 }))).toBe("repeated");
  }

  unknown(which: number, who: Record<string, string>, used: Use): void {
    const as = this.machine().settle(`x${which}`, () => used, true, who);
    if (as === "unknown") this.#entries.set(`x${which}`, { subject: who, days: this.#days(), asked: used, used });
  }

  /** Each counter is what the bookkeeper has. */
  check(): void {
    this.machine();
    for (const counter of this.#counters.rows.values()) {
      const place = Number(counter.budget.slice(1));
      const settings = this.#budgets[place]?.settings as BudgetSettings;
      const of = this.#of(settings, place, counter.subject, counter.day);
      expect([counter.tokens, counter.nanos]).toEqual([of.spentTokens, of.spentNanos]);
      expect([counter.heldTokens, counter.heldNanos]).toEqual([of.heldTokens, of.heldNanos]);
    }
  }

  #days(): readonly number[] {
    return this.#budgets.map(({ settings: { per, zone } }) => (per === "life" ? 0 : dayAt(this.clockMs, zone)));
  }

  #of(settings: BudgetSettings, place: number, subject: string, day: number) {
    const sums = { spentTokens: 0, spentNanos: 0, heldTokens: 0, heldNanos: 0 };
    for (const entry of this.#entries.values()) {
      const named = settings.scope === "ecosystem" ? "" : entry.subject[settings.scope];
      if (named !== subject || entry.days[place] !== day) continue;
      if (entry.used === undefined) {
        sums.heldTokens += tokensOf(entry.asked);
        sums.heldNanos += entry.asked.nanos;
      } else {
        sums.spentTokens += tokensOf(entry.used);
        sums.spentNanos += entry.used.nanos;
      }
    }
    return sums;
  }

  #fits(settings: BudgetSettings, who: Record<string, string>, asked: Use): boolean {
    const { scope, match, tokens, usd, at_end } = settings;
    const named = scope === "ecosystem" ? "" : who[scope];
    const isNamed =
      named !== undefined && (scope === "ecosystem" || RegExp(`^${match.replace("*", ".*")}$`).test(named));
    if (!isNamed || at_end === "open") return true;
    const place = this.#budgets.findIndex((one) => one.settings === settings);
    const of = this.#of(settings, place, named, this.#days()[place] ?? 0);
    const has = (most: number | undefined, sum: number, more: number) =>
      most === undefined || (sum < most && sum + more <= most);
    return (
      has(tokens, of.spentTokens + of.heldTokens, tokensOf(asked)) &&
      has(usd === undefined ? undefined : nanosOf(usd), of.spentNanos + of.heldNanos, asked.nanos)
    );
  }
}

describe("budgets, over 1,000 histories of reservations, late and repeated settlements, and clocks that jump", () => {
  it("grant exactly what a bookkeeper would, and count each reservation once", () => {
    fc.assert(
      fc.property(
        fc.array(budget, { minLength: 1, maxLength: 3 }),
        fc.array(step, { maxLength: 60 }),
        (settings, steps) => {
          const history = new History(settings);
          for (const one of steps) {
            if (one.do === "reserve") history.reserve(one.subject, one.use);
            else if (one.do === "settle") history.settle(one.which, one.use);
            else if (one.do === "unknown") history.unknown(one.which, one.subject, one.use);
            else history.clockMs += one.do === "wait" ? one.ms : -one.ms;
          }
          history.check();
        },
      ),
      { numRuns: 1_000 },
    );
  });
});

const NO_TOKENS = { requests: 1, input_tokens: 0, output_tokens: 0, nanos: 0 };

describe("a budget", () => {
  const machineOf = (settings: object, counters = new MemoryCounters(), nowMs = START) =>
    new BudgetMachine([{ name: "b", settings: BudgetInput.parse(settings) }], counters, nowMs);
  const spend = (machine: BudgetMachine, usd: number, agent = "ada") =>
    machine.charge({ ...NO_TOKENS, nanos: nanosOf(usd) }, { agent });

  it("tells once at two thirds and once at its end, each day anew", () => {
    const counters = new MemoryCounters();
    const told = (usd: number, nowMs = START) => {
      const machine = machineOf({ scope: "agent", usd: 3 }, counters, nowMs);
      spend(machine, usd);
      return machine.told.map(({ level }) => level);
    };
    expect([told(1.99), told(0.01), told(0.5), told(0.5), told(5)]).toEqual([[], ["noticed"], [], ["spent"], []]);
    expect(told(2, START + 3_600_000 * 2)).toEqual(["noticed"]);
  });

  it("is at its end where a reservation finds no room in the last twentieth, and not where a large one finds none before", () => {
    const counters = new MemoryCounters();
    spend(machineOf({ scope: "agent", usd: 10 }, counters), 9);
    const large = machineOf({ scope: "agent", usd: 10 }, counters);
    expect(large.look({ nanos: nanosOf(2) }, { agent: "ada" })).toMatchObject({ why: "budget", budget: "b" });
    expect(large.told).toEqual([]);
    spend(machineOf({ scope: "agent", usd: 10 }, counters), 0.6);
    const last = machineOf({ scope: "agent", usd: 10 }, counters);
    last.look({ nanos: nanosOf(0.5) }, { agent: "ada" });
    expect(last.told).toMatchObject([{ level: "spent", subject: "ada" }]);
  });

  it("says when its day ends, that it never comes back, or that others hold what is left", () => {
    const who = { agent: "ada" };
    const day = machineOf({ scope: "agent", usd: 1 });
    spend(day, 1);
    expect(day.look({ nanos: 1 }, who)).toMatchObject({ untilMs: Date.UTC(2026, 1, 1) });
    const life = machineOf({ scope: "agent", usd: 1, per: "life" });
    spend(life, 1);
    expect(life.look({ nanos: 1 }, who)).toMatchObject({ isFinal: true });
    expect(life.look({ nanos: 1 }, who)?.untilMs).toBeUndefined();
    const held = machineOf({ scope: "agent", usd: 1 });
    held.hold({ ...NO_TOKENS, nanos: nanosOf(1) }, who);
    expect(held.look({ nanos: 1 }, who)).toEqual({
      why: "budget",
      budget: "b",
      reason: "what is left of the budget b of the agent ada is reserved",
    });
    expect(held.look({ nanos: nanosOf(2) }, who)).toMatchObject({ isFinal: true });
    expect(held.look({ nanos: nanosOf(2) }, { agent: "bob" })).toMatchObject({ isFinal: true });
    expect(held.look({ nanos: nanosOf(1) }, { agent: "bob" })).toBeUndefined();
    expect(held.look({ nanos: nanosOf(2) }, { task: "t" })).toBeUndefined();
  });

  it("counts those for which there is no room together, so that none of them has more than the budget", () => {
    const counters = new MemoryCounters(2);
    const machine = () => machineOf({ scope: "agent", usd: 1 }, counters);
    for (const agent of ["a", "b", "c", "d"]) spend(machine(), 0.4, agent);
    const rows = [...counters.rows.values()].map(({ subject, nanos }) => [subject, nanos]);
    expect(rows).toEqual([
      ["a", nanosOf(0.4)],
      ["b", nanosOf(0.4)],
      [OTHERS, nanosOf(0.8)],
    ]);
    expect(machine().look({ nanos: nanosOf(0.5) }, { agent: "e" })).toMatchObject({ why: "budget" });
    expect(machine().look({ nanos: nanosOf(0.5) }, { agent: "a" })).toBeUndefined();
  });
});
