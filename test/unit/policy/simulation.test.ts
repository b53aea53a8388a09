import { describe, expect, test } from "vitest";
import { BUILT_IN_RULES } from "../../../src/core/policy/built-in-rules.ts";
import { differencesOf } from "../../../src/core/policy/decision-difference.ts";
import { Rule } from "../../../src/core/policy/rule.ts";
import type { SimulatedDecision } from "../../../src/core/policy/simulated.ts";
import { countOutcomes, finish, Simulation } from "../../../src/core/policy/simulation.ts";
import type { Signal } from "../../../src/core/signals/signal.ts";

const T0 = Date.UTC(2026, 0, 5, 9);
let seq = 0;
const signal = (name: string, facts: Record<string, unknown>, afterMs: number, more: Partial<Signal> = {}): Signal => {
  const at = new Date(T0 + afterMs).toISOString();
  seq++;
  return {
    seq,
    id: `h${seq}`,
    signal: name,
    source: "host",
    ecosystem: "e",
    facts,
    timestamp: at,
    received_at: at,
    ...more,
  };
};
const rule = (fields: Record<string, unknown>) => Rule.parse({ version: 1, ...fields });
const run = (rules: readonly Rule[], history: readonly Signal[], untilMs = 0) => {
  const simulation = new Simulation(rules);
  return [
    ...history.flatMap((one) => finish(simulation.process(one))),
    ...finish(simulation.advanceClock(T0 + untilMs)),
  ];
};

const pong = rule({ id: "pong", when: "Q_PING", then: [{ emit: { signal: "Q_PONG", facts: { n: "facts.n" } } }] });
const note = rule({
  id: "note",
  when: "Q_PONG",
  where: "facts.n > 1.0",
  then: [{ enqueue: { queue: "work", recipient: '"me"', type: "note" } }],
});

describe("simulation", () => {
  test("passes a signal that a rule emits to the other rules, as the log does", () => {
    const decisions = run([pong, note], [signal("Q_PING", { n: 2 }, 0), signal("Q_PING", { n: 1 }, 5)]);
    expect(decisions.map(({ rule, outcome }) => [rule, outcome])).toEqual([
      ["pong", "fired"],
      ["note", "fired"],
      ["pong", "fired"],
    ]);
  });

  test("leaves out recorded emissions of rules, and keeps signals about changes of the rules", () => {
    const emitted = signal("Q_PONG", { n: 9 }, 1, { source: "ganglion/policy", cause: "h1" });
    expect(run([note], [emitted])).toEqual([]);
    const change = signal("Q_PONG", { n: 9 }, 1, { source: "ganglion/policy" });
    expect(run([note], [change])).toHaveLength(1);
  });

  test("ends loops as the engine does", () => {
    const again = rule({ id: "again", when: "Q_PING", then: [{ emit: { signal: "Q_PING", facts: {} } }] });
    const decisions = run([again], [signal("Q_PING", {}, 0)]);
    expect(countOutcomes(decisions)).toEqual({ again: { fired: 16, suppressed: 0, failed: 1 } });
  });

  test("counts the decisions of a rule whose name every object has", () => {
    const decision = { rule: "constructor", outcome: "fired" } as SimulatedDecision;
    expect(Object.entries(countOutcomes([decision, decision]))).toEqual([
      ["constructor", { fired: 2, suppressed: 0, failed: 0 }],
    ]);
    expect(Object.keys(Object)).toEqual([]);
  });

  test("decides a time-out at the time at which it was due, before later signals", () => {
    const history = [
      signal("Q_PROMOTIONS_DETECTED", { promotion_count: 1 }, 0),
      signal("Q_PROMOTIONS_DETECTED", { promotion_count: 1 }, 3 * 3_600_000),
    ];
    const decisions = run(BUILT_IN_RULES, history, 3 * 3_600_000);
    expect(decisions.map(({ by, at, effects }) => [by, Date.parse(at) - T0, effects[0]?.kind])).toEqual([
      ["signal", 0, "emit"],
      ["time", 7_200_000, "emit"],
      // The notice of the dream that did not end.
      ["signal", 7_200_000, "webhook"],
      ["signal", 10_800_000, "emit"],
    ]);
  });

  test("finds exactly the decisions in which a changed rule differs", () => {
    const history = [1, 2, 3].map((n) => signal("Q_PING", { n }, n));
    const louder = rule({ ...pong, version: 2, where: "facts.n > 1.0" });
    const found = differencesOf(run([pong, note], history), run([louder, note], history));
    expect(found).toHaveLength(1);
    expect(found[0]).toMatchObject({ rule: "pong", before: { outcome: "fired" } });
    expect(found[0]).not.toHaveProperty("after");
    expect(differencesOf(run([pong], history), run([pong], history))).toEqual([]);
  });
});
