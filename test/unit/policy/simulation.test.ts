import { describe, expect, test } from "vitest";
import { BUILT_IN_RULES } from "../../../src/core/policy/built-in-rules.ts";
import { Rule } from "../../../src/core/policy/rule.ts";
import { countOutcomes, differencesOf, Simulation } from "../../../src/core/policy/simulation.ts";
import type { Signal } from "../../../src/core/signals/signal.ts";

const T0 = Date.UTC(2026, 0, 5, 9);
let seq = 0;
const signal = (name: string, facts: Record<string, unknown>, afterMs: number, more: Partial<Signal> = {}): Signal => {
  const at = new Date(T0 + afterMs).toISOString();
  seq++;
  return {
    ...{ seq, id: `h${seq}`, signal: name, source: "host", ecosystem: "e", facts, timestamp: at, received_at: at },
    ...more,
  };
};
const rule = (fields: Record<string, unknown>) => Rule.parse({ version: 1, ...fields });
const run = (rules: readonly Rule[], history: readonly Signal[], untilMs = 0) => {
  const simulation = new Simulation(rules);
  return [...history.flatMap((one) => simulation.take(one)), ...simulation.pass(T0 + untilMs)];
};

const pong = rule({ id: "pong", when: "Q_PING", then: [{ emit: { signal: "Q_PONG", facts: { n: "facts.n" } } }] });
const heard = rule({
  ...{ id: "heard", when: "Q_PONG", where: "facts.n > 1.0" },
  then: [{ enqueue: { queue: "work", recipient: '"me"', type: "note" } }],
});

describe("a simulation", () => {
  test("lets what a rule emits come to the others, as it does from the log", () => {
    const decisions = run([pong, heard], [signal("Q_PING", { n: 2 }, 0), signal("Q_PING", { n: 1 }, 5)]);
    expect(decisions.map(({ rule, outcome }) => [rule, outcome])).toEqual([
      ["pong", "fired"],
      ["heard", "fired"],
      ["pong", "fired"],
    ]);
  });

  test("leaves out what rules emitted when it happened, and keeps what is told of the rules themselves", () => {
    const emitted = signal("Q_PONG", { n: 9 }, 1, { source: "ganglion/policy", cause: "h1" });
    expect(run([heard], [emitted])).toEqual([]);
    const told = signal("Q_PONG", { n: 9 }, 1, { source: "ganglion/policy" });
    expect(run([heard], [told])).toHaveLength(1);
  });

  test("ends loops as the engine does", () => {
    const again = rule({ id: "again", when: "Q_PING", then: [{ emit: { signal: "Q_PING", facts: {} } }] });
    const decisions = run([again], [signal("Q_PING", {}, 0)]);
    expect(countOutcomes(decisions)).toEqual({ again: { fired: 16, suppressed: 0, failed: 1 } });
  });

  test("tells of what did not come at the time at which it was due, before what came later", () => {
    const history = [
      signal("Q_PROMOTIONS_DETECTED", { promotion_count: 1 }, 0),
      signal("Q_PROMOTIONS_DETECTED", { promotion_count: 1 }, 3 * 3_600_000),
    ];
    const decisions = run(BUILT_IN_RULES, history, 3 * 3_600_000);
    expect(decisions.map(({ by, at, effects }) => [by, Date.parse(at) - T0, effects[0]?.kind])).toEqual([
      ["signal", 0, "emit"],
      ["time", 7_200_000, "emit"],
      ["signal", 10_800_000, "emit"],
    ]);
  });

  test("shows where a changed rule decides otherwise, and nowhere else", () => {
    const history = [1, 2, 3].map((n) => signal("Q_PING", { n }, n));
    const louder = rule({ ...pong, version: 2, where: "facts.n > 1.0" });
    const found = differencesOf(run([pong, heard], history), run([louder, heard], history));
    expect(found).toHaveLength(1);
    expect(found[0]).toMatchObject({ rule: "pong", before: { outcome: "fired" } });
    expect(found[0]).not.toHaveProperty("after");
    expect(differencesOf(run([pong], history), run([pong], history))).toEqual([]);
  });
});
