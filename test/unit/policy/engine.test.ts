import { Cron } from "croner";
import { describe, expect, test, vi } from "vitest";
import { admitRule } from "../../../src/core/policy/admit-rule.ts";
import { PolicyEngine } from "../../../src/core/policy/engine.ts";
import { compileExpression } from "../../../src/core/policy/expression.ts";
import { compileMute } from "../../../src/core/policy/mute.ts";
import { watchedPatterns } from "../../../src/core/policy/rule.ts";
import fc from "../../fast-check.ts";
import { aRule, aSignal, outcomes, reasons, T0 } from "./a-signal.ts";

const a = (afterMs: number, facts = {}, depth = 0) => aSignal("Q_A", facts, afterMs, depth);

describe("rule in the engine", () => {
  test("that fails is reported and keeps no state, and the next rule is evaluated", () => {
    const failing = aRule({
      id: "failing",
      where: "facts.nothing > 0",
      while_in_flight: { until: "Q_B", at_most: "1h" },
    });
    const engine = new PolicyEngine([failing, aRule({ id: "next" })]);
    expect(engine.evaluate(a(0)).outcomes.map(({ rule, outcome }) => [rule.id, outcome])).toEqual([
      ["failing", "failed"],
      ["next", "fired"],
    ]);
    expect(engine.state.filter(({ rule }) => rule === "failing")).toEqual([]);
  });

  test("that failed is reevaluated alone, as of the time of the signal", () => {
    const failing = aRule({ id: "failing", where: "facts.nothing > 0" });
    const other = aRule({ id: "other" });
    const engine = new PolicyEngine([failing, other]);
    const signal = a(0, { n: 1 });
    engine.evaluate(signal);
    expect(engine.reevaluate(signal, "failing").outcomes).toMatchObject([{ outcome: "failed" }]);
    engine.replace([{ ...failing, where: "facts.n > 0" }, other]);
    expect(engine.reevaluate(signal, "failing").outcomes).toMatchObject([
      { rule: { id: "failing" }, outcome: "fired", atMs: Date.parse(signal.received_at) },
    ]);
    engine.replace([other]);
    expect(() => engine.reevaluate(signal, "failing")).toThrow("no enabled rule failing decides on Q_A");
  });

  test("that is disabled has no effects, and still sees the end of its work in flight", () => {
    const rule = aRule({ while_in_flight: { until: "Q_B", at_most: "1h" } });
    const engine = new PolicyEngine([rule]);
    engine.evaluate(a(0));
    engine.replace([{ ...rule, enabled: false }]);
    expect(engine.evaluate(a(1)).outcomes).toEqual([]);
    engine.evaluate(aSignal("Q_B", {}, 2));
    engine.replace([rule]);
    expect(outcomes(engine, a(3))).toEqual(["fired"]);
  });

  test("returns the values that it read and its effects", () => {
    const rule = aRule({
      where: "facts.n > 1",
      then: [
        { emit: { signal: "Q_B", facts: { twice: "facts.n * 2", at: "now", of: "ecosystem + '/' + source" } } },
        {
          enqueue: {
            queue: "q",
            recipient: "facts.host",
            type: "t",
            priority: "int(facts.n)",
            delay: "5s",
            needs: { skills: ["sql", "python"], gpu_memory_mb: 8_000, labels: { zone: "a" } },
            limits: ["openai", "anthropic", "openai"],
          },
        },
        { maintenance: { enabled: true, reason: "'n is ' + string(facts.n)" } },
        { webhook: { endpoint: "e", body: { n: "facts.n" } } },
      ],
    });
    const signal = a(0, { n: 3, host: "h" });
    const [outcome] = new PolicyEngine([rule]).evaluate(signal).outcomes;
    expect(outcome).toMatchObject({ values: { "facts.n": 3, "facts.host": "h" }, origin: { id: signal.id } });
    expect(outcome?.effects).toEqual([
      { kind: "emit", signal: "Q_B", facts: { twice: 6, at: "2026-01-01T00:00:00.000Z", of: "e/t" } },
      {
        kind: "enqueue",
        queue: "q",
        recipient: "h",
        type: "t",
        payload: signal,
        priority: 3,
        delayMs: 5_000,
        needs: ["gpu_memory_mb=8000", "label:zone=a", "python", "sql"],
        limits: ["anthropic", "openai"],
      },
      { kind: "maintenance", enabled: true, reason: "n is 3" },
      { kind: "webhook", endpoint: "e", body: { n: 3 } },
    ]);
  });

  test("fails when the receiver of its effect would refuse the effect", () => {
    const enqueue = { queue: "q", recipient: "facts.host", type: "t" };
    const engine = new PolicyEngine([
      aRule({ id: "a", then: [{ enqueue }] }),
      aRule({ id: "b", then: [{ enqueue: { ...enqueue, recipient: "'h'", priority: "facts.n" } }] }),
      aRule({ id: "c", then: [{ emit: { signal: "Q_DREAM_TRIGGER", facts: { reason: "1" } } }] }),
    ]);
    const decided = engine.evaluate(a(0, { host: "no host", n: 11 })).outcomes;
    expect(decided.map(({ outcome, reason }) => [outcome, reason])).toEqual([
      ["failed", 'invalid recipient of a task: "no host"'],
      ["failed", "invalid priority of a task: 11; give a whole number from 1 to 10"],
      ["failed", expect.stringContaining("invalid facts for Q_DREAM_TRIGGER: /facts/reason")],
    ]);
  });

  test("is evaluated by priority and then by id, and a final rule that fires is the last", () => {
    const rules = [
      aRule({ id: "c" }),
      aRule({ id: "b" }),
      aRule({ id: "z", priority: 1 }),
      aRule({ id: "f", priority: 4, final: true, where: "has(facts.end)" }),
    ];
    const engine = new PolicyEngine(rules);
    const evaluated = (facts: object) => engine.evaluate(a(0, facts)).outcomes.map(({ rule }) => rule.id);
    expect(evaluated({})).toEqual(["z", "b", "c"]);
    expect(evaluated({ end: 1 })).toEqual(["z", "f"]);
  });
});

describe("condition of a rule", () => {
  test("cooldown lasts to its last millisecond", () => {
    const engine = new PolicyEngine([aRule({ cooldown: "10s" })]);
    expect(outcomes(engine, a(0), a(9_999), a(10_000), a(10_001))).toEqual([
      "fired",
      "suppressed",
      "fired",
      "suppressed",
    ]);
  });

  test("once_per fires once for each value", () => {
    const engine = new PolicyEngine([aRule({ once_per: { by: "facts.host", within: "1h" } })]);
    const of = (host: unknown, ms: number) => a(ms, { host });
    expect(outcomes(engine, of("x", 0), of("y", 1), of("x", 2), of(1, 3), of("1", 4), of("x", 3_600_000))).toEqual([
      "fired",
      "fired",
      "suppressed",
      "fired",
      // A number and the same number as text share one key: keys are texts.
      "suppressed",
      "fired",
    ]);
  });

  test("at_least counts within its time for each value, and then from zero", () => {
    const engine = new PolicyEngine([aRule({ at_least: { n: 3, within: "10s", by: "facts.host" } })]);
    const of = (host: string, ms: number) => a(ms, { host });
    const all = [
      of("x", 0),
      of("y", 1),
      of("x", 5_000),
      of("x", 10_000),
      of("x", 10_001),
      of("x", 10_002),
      of("x", 10_003),
    ];
    // When the third signal of x comes, the first one is ten seconds old and no longer counts.
    expect(outcomes(engine, ...all)).toEqual([
      undefined,
      undefined,
      undefined,
      undefined,
      "fired",
      undefined,
      undefined,
    ]);
  });

  test("at_least keeps at most n times while another condition suppresses the rule", () => {
    const engine = new PolicyEngine([aRule({ at_least: { n: 3, within: "1h" }, cooldown: "1h" })]);
    for (let ms = 0; ms < 20; ms++) engine.evaluate(a(ms));
    const [counted] = engine.state.flatMap((row) => (row.kind === "count" ? [row.body.timesMs] : []));
    expect(counted).toEqual([T0 + 17, T0 + 18, T0 + 19]);
  });

  test("near_duplicate suppresses a text at the threshold, as a duplicate of the first text that was as similar", () => {
    const near_duplicate = {
      text: "facts.q",
      threshold: 1,
      within: "1h",
      by: "facts.host",
      override: "facts.again == true",
    };
    const engine = new PolicyEngine([aRule({ near_duplicate })]);
    const ask = (ms: number, q: string, host: string, again = false) => a(ms, { q, host, again });
    const asked = [ask(0, "Why so slow?", "x"), ask(1, "why so slow", "x", true), ask(2, "why so slow", "y")];
    expect(outcomes(engine, ...asked)).toEqual(["fired", "fired", "fired"]);
    expect(reasons(engine, ask(3, "Why so slow", "x"))).toEqual([`like ${asked[0]?.id}: 1`]);
  });

  test("mute follows the local time of its zone, in winter and in summer", () => {
    const mute = [{ from: "0 22 * * *", lasts: "8h", zone: "Europe/Berlin" }];
    const engine = new PolicyEngine([aRule({ mute, rate: { n: 1_000, per: "1m" } })]);
    const at = (time: string) => a(Date.parse(time) - T0);
    expect(
      reasons(
        engine,
        at("2026-01-10T20:59:59.999Z"),
        at("2026-01-10T21:00:00.000Z"),
        at("2026-01-11T04:59:59.999Z"),
        at("2026-01-11T05:00:00.000Z"),
        at("2026-07-10T20:00:00.000Z"),
        at("2026-07-10T19:59:59.000Z"),
      ),
    ).toEqual([
      undefined,
      "muted until 2026-01-11T05:00:00.000Z",
      "muted until 2026-01-11T05:00:00.000Z",
      undefined,
      "muted until 2026-07-11T04:00:00.000Z",
      undefined,
    ]);
  });

  test("remember keeps values for the next signal, for each value of remember_by", () => {
    const engine = new PolicyEngine([
      aRule({
        where: "facts.t > state.?last.orValue(0) + 5",
        remember: { last: "facts.t" },
        remember_by: "facts.host",
      }),
    ]);
    const of = (host: string, t: number) => a(0, { host, t });
    expect(outcomes(engine, of("x", 10), of("x", 12), of("y", 7), of("x", 17), of("x", 23))).toEqual([
      "fired",
      undefined,
      "fired",
      undefined,
      "fired",
    ]);
  });

  test("state of every condition survives a restart", () => {
    const rule = aRule({
      cooldown: "1s",
      at_least: { n: 2, within: "1h" },
      remember: { n: "state.?n.orValue(0) + 1" },
      then: [{ emit: { signal: "Q_B", facts: { n: "state.?n.orValue(0)" } } }],
    });
    const whole = new PolicyEngine([rule]);
    let rows = whole.state;
    for (let at = 0; at < 20; at++) {
      const signal = a(at * 300);
      const restarted = new PolicyEngine([rule]);
      restarted.restore(JSON.parse(JSON.stringify(rows)));
      expect(restarted.evaluate(signal)).toEqual(whole.evaluate(signal));
      rows = restarted.state;
    }
  });
});

describe("loop guard", () => {
  test("ends a chain of sixteen causes and keeps no state of it", () => {
    const engine = new PolicyEngine([aRule({ cooldown: "1h" })]);
    expect(engine.evaluate(a(0, {}, 16)).outcomes).toMatchObject([{ outcome: "failed", cut: "depth", effects: [] }]);
    expect(engine.state).toEqual([]);
    expect(outcomes(engine, a(0, {}, 15))).toEqual(["fired"]);
  });

  test("cuts off a rule beyond its rate, and makes no more failures than firings", () => {
    const engine = new PolicyEngine([aRule({ rate: { n: 2, per: "1m" } })]);
    const decided = [0, 1, 2, 3, 4, 59_999, 60_000].map((ms) => engine.evaluate(a(ms)).outcomes[0]);
    expect(decided.map((outcome) => [outcome?.outcome, outcome?.cut, outcome?.quiet])).toEqual([
      ["fired", undefined, undefined],
      ["fired", undefined, undefined],
      ["failed", "rate", undefined],
      ["failed", "rate", undefined],
      ["suppressed", "rate", true],
      ["suppressed", "rate", true],
      ["fired", undefined, undefined],
    ]);
  });
});

describe("a value that JSON does not have", () => {
  const failing = (value: string, facts: object) => {
    const rule = aRule({ then: [{ emit: { signal: "Q_B", facts: { value } } }] });
    const [outcome] = new PolicyEngine([rule]).evaluate(a(0, facts)).outcomes;
    return [outcome?.outcome, outcome?.reason];
  };
  test.each([
    ["facts.n / facts.zero", "infinite"],
    ["facts.zero / facts.zero", "not a number"],
    ["-facts.n / facts.zero", "infinite"],
    ["[1.0, facts.n / facts.zero]", "infinite"],
    ["{'deep': {'n': facts.n / facts.zero}}", "infinite"],
    ["9007199254740993", "beyond 2^53"],
    ["int(facts.n) * 9007199254740991", "beyond 2^53"],
    ["b'abc'", "bytes"],
    ["facts.?absent", ".orValue("],
  ])("in an effect fails the rule with the reason: %s", (value, reason) => {
    expect(failing(value, { n: 3, zero: 0 })).toEqual(["failed", expect.stringContaining(reason)]);
  });

  test("in a key, a payload or a body fails the rule too", () => {
    for (const rule of [
      aRule({ cooldown: "1s", once_per: { by: "facts.n / facts.zero", within: "1s" } }),
      aRule({
        then: [{ enqueue: { queue: "q", recipient: "'a'", type: "t", payload: { n: "facts.n / facts.zero" } } }],
      }),
      aRule({ then: [{ webhook: { endpoint: "e", body: { n: "facts.n / facts.zero" } } }] }),
    ])
      expect(outcomes(new PolicyEngine([rule]), a(0, { n: 3, zero: 0 }))).toEqual(["failed"]);
  });

  test("may occur on the way to one that JSON has", () => {
    expect(failing("facts.n / facts.zero > 1.0", { n: 3, zero: 0 })).toEqual(["fired", undefined]);
  });
});

describe("a condition", () => {
  test.each([
    [{ flag: "true" }, "a text"],
    [{ flag: 1 }, "a number"],
    [{ flag: null }, "null"],
    [{ flag: [true] }, "a list"],
  ])("that gives neither true nor false fails the rule and says what it gives: %j", (facts, what) => {
    const [outcome] = new PolicyEngine([aRule({ where: "facts.flag" })]).evaluate(a(0, facts)).outcomes;
    expect([outcome?.outcome, outcome?.reason]).toEqual([
      "failed",
      `the condition facts.flag gives ${what}: it must give true or false, so compare the value, as in facts.flag == "true"`,
    ]);
  });

  test("that gives true or false decides", () => {
    const engine = new PolicyEngine([aRule({ where: "facts.flag" })]);
    expect([a(0, { flag: true }), a(1, { flag: false })].map((signal) => outcomes(engine, signal))).toEqual([
      ["fired"],
      [undefined],
    ]);
  });
});

describe("effects that nest values", () => {
  test("beyond what a signal may hold fail the rule", () => {
    let deep: unknown = 1;
    for (let level = 0; level < 65; level++) deep = [deep];
    const rule = aRule({ then: [{ emit: { signal: "Q_B", facts: { more: "facts.deep" } } }] });
    expect(outcomes(new PolicyEngine([rule]), a(0, { deep }))).toEqual(["failed"]);
  });
});

describe("mute windows", () => {
  const never = [{ from: "0 0 30 2 *", lasts: "1h", zone: "UTC" }];

  test("that never begin, in a rule from before they were refused, mute nothing", () => {
    expect(outcomes(new PolicyEngine([{ ...aRule(), mute: never }]), a(0))).toEqual(["fired"]);
  });

  test("hold whatever the order in which the times are asked for", () => {
    const mute = compileMute({ from: "0 22 * * 1", lasts: "8h", zone: "Europe/Berlin" });
    const fresh = (ms: number) => compileMute({ from: "0 22 * * 1", lasts: "8h", zone: "Europe/Berlin" })(ms);
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: Date.UTC(2026, 0), max: Date.UTC(2026, 11) }), { maxLength: 20 }),
        (times) => {
          for (const ms of times) expect(mute(ms)).toBe(fresh(ms));
        },
      ),
      { numRuns: 30 },
    );
  });

  test("are searched once for each window and not for each signal", () => {
    const search = vi.spyOn(Cron.prototype, "previousRuns");
    const mute = compileMute({ from: "0 0 29 2 *", lasts: "1d", zone: "UTC" });
    for (let second = 0; second < 1_000; second++) mute(Date.UTC(2026, 5, 1) + second * 1_000);
    expect(search).toHaveBeenCalledTimes(1);
    search.mockRestore();
  });
});

describe("admission of a rule", () => {
  const errorsOf = (rule: object) => {
    const admitted = admitRule({ id: "r", when: "Q_A", then: [{ emit: { signal: "Q_B", facts: {} } }], ...rule });
    return admitted.ok ? [] : admitted.errors.map(({ pointer, message }) => `${pointer}: ${message}`);
  };
  test.each([
    [{ where: "facts.a >" }, "/where: line 1, column 10: Unexpected token: EOF"],
    [{ where: "fact.a > 1" }, "/where: line 1, column 1: Unknown variable: fact"],
    [{ where: "facts.a + 1\n + nothing" }, "/where: line 2, column 4: Unknown variable: nothing"],
    [{ where: "'text'" }, "/where: the condition gives a string: it must give true or false"],
    [{ where: "facts.a.matches('^(a+)+$')" }, "/where: line 1, column 1: matches() is not available"],
    [{ then: [{ emit: { signal: "Q_B", facts: { "a/b": "1 +" } } }] }, "/then/0/emit/facts/a~1b: line 1, column 4"],
    [{ then: [{ emit: { signal: "Q_B", facts: {} }, webhook: { endpoint: "e" } }] }, "/then/0: an effect is one of"],
    [{ then: [] }, "/then: a rule without effects"],
    [{ cooldown: "10 minutes" }, "/cooldown: give a length of time such as 30s"],
    [{ cooldown: 600 }, "/cooldown: "],
    [{ mute: [{ from: "0 25 * * *", lasts: "1h" }] }, "/mute/0/from: "],
    [{ mute: [{ from: "0 2 * * *", lasts: "1h", zone: "Europe/Nowhere" }] }, "/mute/0/zone: unknown time zone"],
    [{ mute: [{ from: "0 0 30 2 *", lasts: "1h" }] }, "/mute/0/from: this time never comes"],
    [
      {
        mute: [
          { from: "0 0 1 1 *", lasts: "1h" },
          { from: "0 0 31 4,6 *", lasts: "1h" },
        ],
      },
      "/mute/1/from: this time",
    ],
    [{ when: "Q A" }, "/when: give a pattern of signal names, or a list"],
    [{ wen: "Q_A" }, "/wen: unknown field"],
    [{ where: "duplicate.of == 'a'" }, "/where: line 1, column 1: Unknown variable: duplicate"],
  ])("refuses %j with the place of the error", (rule, error) => {
    expect(errorsOf(rule).join("\n")).toContain(error);
  });

  test("names all errors at once", () => {
    expect(errorsOf({ where: "a", cooldown: "1s", once_per: { by: "b", within: "1s" } })).toHaveLength(2);
  });
});

test("watched patterns are those that the rules name, those of disabled rules only for work in flight", () => {
  const expecting = aRule({ id: "e", expect: { signal: "Q_X", within: "1s", else: [{ webhook: { endpoint: "e" } }] } });
  const off = {
    ...aRule({ id: "o", when: "Q_OFF", while_in_flight: { until: "Q_Y", at_most: "1s" } }),
    enabled: false,
  };
  expect(watchedPatterns([aRule(), expecting, off])).toEqual(["Q_A", "Q_X", "Q_Y"]);
  expect(watchedPatterns([aRule({ when: ["!OBSERVATION"] })])).toEqual(["*"]);
});

describe("expression", () => {
  const facts = { n: 3, list: [1, 2], name: "x" };
  const scope = { signal: "Q_A", id: "i", source: "s", facts, ecosystem: "e", now: new Date(T0), state: {} };
  test.each([
    ["facts.n + 1", 4],
    ["2 * facts.n == 6", true],
    ["facts.n / 2", 1.5],
    ["facts.n % 2", 1],
    ["[facts.name, 1]", ["x", 1]],
    ['{"a": 1}', { a: 1 }],
    ["has(facts.nothing)", false],
    ["signal", "Q_A"],
    ["now.getFullYear()", 2026],
  ])("%s gives %j", (source, value) => {
    expect(compileExpression(source)(scope)).toEqual(value);
  });
});
