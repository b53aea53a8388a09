import { describe, expect, test } from "vitest";
import { PolicyEngine } from "../../../src/core/policy/engine.ts";
import { compileExpression, type Scope } from "../../../src/core/policy/expression.ts";
import { STEPS, WorkBudget, WorkExceeded } from "../../../src/core/policy/work-budget.ts";
import { aRule, aSignal } from "./a-signal.ts";

const numbers = (count: number) => Array.from({ length: count }, (_, index) => index);
const scopeOf = (facts: Record<string, unknown>): Scope => ({
  signal: "Q_A",
  id: "s1",
  source: "t",
  ecosystem: "e",
  facts,
  now: new Date(0),
  state: {},
});
/** Binds a value, then `times` times a value that is made of twelve of the one before, and gives the last one to `use`. */
const grown = (
  name: string,
  first: string,
  join: (parts: readonly string[]) => string,
  times: number,
  use: (name: string) => string,
): string =>
  numbers(times + 1).reduceRight(
    (inner, index) => {
      const value = index === 0 ? first : join(Array<string>(12).fill(`${name}${index - 1}`));
      return `cel.bind(${name}${index}, ${value}, ${inner})`;
    },
    use(`${name}${times}`),
  );
const list = (parts: readonly string[]) => `[${parts.join(", ")}]`;
const sum = (parts: readonly string[]) => parts.join(" + ");
const nine = numbers(9).reduceRight((inner, index) => `facts.list.all(v${index}, ${inner})`, "true");
const equality = grown("x", "[1]", list, 6, (x) => grown("y", "[1]", list, 6, (y) => `${x} == ${y}`));

describe("expression that would take too long", () => {
  test.each([
    ["three nested all()", "facts.list.all(a, facts.list.all(b, facts.list.all(c, a + b + c >= 0)))", {}],
    ["nine nested all()", nine, {}],
    ["exists() that absorbs errors", "facts.list.exists(a, facts.list.exists(b, facts.list.exists(c, c.no == 1)))", {}],
    ["nested map()", "facts.list.map(a, facts.list.map(b, facts.list.map(c, c))).size() > 0", {}],
    ["nested filter()", "facts.list.filter(a, facts.list.filter(b, facts.list.filter(c, true) != []) != []) != []", {}],
    ["nested exists_one()", "facts.list.exists_one(a, facts.list.exists_one(b, facts.list.exists_one(c, c == a)))", {}],
    ["keys of a map", "facts.map.all(a, facts.map.all(b, facts.map.all(c, true)))", {}],
    ["a text that multiplies itself", grown("x", "facts.text", sum, 10, (x) => `${x}.size() > 0`), {}],
    ["a list that multiplies itself", grown("x", "facts.list", sum, 10, (x) => `${x}.size() > 0`), {}],
    ["equality of values that share parts", equality, {}],
    ["a result whose parts are shared", grown("x", "facts.list", list, 12, (x) => x), {}],
    ["membership in long lists", "facts.list.all(a, facts.list.all(b, !([a] in facts.lists)))", {}],
    ["long comparisons", "facts.list.all(a, facts.list.all(b, facts.text + 'a' != facts.text + 'b'))", {}],
    ["searches in long texts", "facts.list.all(a, facts.text.lastIndexOf(facts.needle) < 0)", {}],
    ["splits of a long text", "facts.list.all(a, facts.text.split('').size() > 0)", {}],
    ["times in time zones", "facts.list.all(a, now.getHours('Europe/Berlin') >= 0)", {}],
  ])("ends within its steps: %s", (_, source) => {
    const facts = {
      list: numbers(1_000),
      lists: numbers(1_000).map((one) => [one, -1]),
      map: Object.fromEntries(numbers(1_000).map((one) => [`k${one}`, one])),
      text: "a".repeat(60_000),
      needle: `${"a".repeat(20_000)}b`,
    };
    const work = new WorkBudget(STEPS.rule, "");
    expect(() => compileExpression(source)({ ...scopeOf(facts), work })).toThrow(WorkExceeded);
    expect(work.spent).toBe(STEPS.rule);
  });

  test("says how many steps it may take and what to do", () => {
    const nested = compileExpression("facts.list.all(a, facts.list.all(b, a + b >= 0))");
    expect(() => nested(scopeOf({ list: numbers(1_000) }))).toThrow(
      "more than 100000 steps: iterate over shorter lists",
    );
  });
});

describe("expression of ordinary size", () => {
  test.each([
    ["a loop over a thousand elements", "facts.list.all(a, a >= 0 && a < 1000)", true],
    ["a loop over pairs of a hundred elements", "facts.few.all(a, facts.few.exists(b, a == b))", true],
    ["a loop with errors that are absorbed", "facts.few.exists(a, a.nothing == 1 || a == 99)", true],
    ["a search in a long text", "facts.text.contains('bbbb')", false],
    ["a key of large facts", "'list' in facts && facts.list.size() == 1000", true],
    ["the whole facts as result", "facts.few", numbers(100)],
  ])("is evaluated: %s", (_, source, value) => {
    const facts = { list: numbers(1_000), few: numbers(100), text: "ab".repeat(30_000) };
    expect(compileExpression(source)(scopeOf(facts))).toEqual(value);
  });
});

describe("rule that takes too many steps", () => {
  const heavy = aRule({ id: "heavy", where: "facts.list.all(a, facts.list.all(b, facts.list.all(c, true)))" });
  const light = aRule({ id: "light", where: "facts.list.size() > 1" });
  const signal = () => aSignal("Q_A", { list: numbers(1_000) });

  test("fails on the signal and is quarantined, and the other rules decide", () => {
    const engine = new PolicyEngine([heavy, light]);
    const first = engine.evaluate(signal());
    expect(first.outcomes.map(({ rule, outcome, cut }) => [rule.id, outcome, cut])).toEqual([
      ["heavy", "failed", "work"],
      ["light", "fired", undefined],
    ]);
    expect(first.quarantined).toMatchObject([{ rule: { id: "heavy" }, origin: first.outcomes[0]?.origin }]);
    const next = engine.evaluate(signal());
    expect(next.outcomes.map(({ rule }) => rule.id)).toEqual(["light"]);
    expect(next.quarantined).toEqual([]);
  });

  test("stays in quarantine after a restart, and leaves it when it is edited", () => {
    const before = new PolicyEngine([heavy, light]);
    before.evaluate(signal());
    const engine = new PolicyEngine([heavy, light]);
    engine.restore(before.state);
    expect(engine.quarantine("heavy")?.reason).toContain("more than 100000 steps");
    engine.replace([{ ...heavy }, light]);
    expect(engine.evaluate(signal()).outcomes.map(({ rule }) => rule.id)).toEqual(["light"]);
    engine.replace([{ ...heavy, where: "facts.list.size() > 2", version: 2 }, light]);
    expect(engine.quarantine("heavy")).toBeUndefined();
    expect(engine.evaluate(signal()).outcomes.map(({ rule }) => rule.id)).toEqual(["heavy", "light"]);
  });

  test("spends its steps over all of its expressions together", () => {
    const loop = "facts.list.all(a, a >= 0)";
    const facts = Object.fromEntries(numbers(60).map((one) => [`f${one}`, loop]));
    const engine = new PolicyEngine([aRule({ id: "many", then: [{ emit: { signal: "Q_B", facts } }] })]);
    expect(engine.evaluate(signal()).outcomes).toMatchObject([{ outcome: "failed", cut: "work" }]);
  });

  test("is quarantined where it waits for the signal or ends its work by it", () => {
    const cost = "string(facts.list.all(a, facts.list.all(b, true)))";
    const waiting = aRule({
      id: "waiting",
      when: "Q_B",
      expect: { signal: "Q_A", answer_by: cost, within: "1m", else: [{ emit: { signal: "Q_C", facts: {} } }] },
    });
    const flying = aRule({
      id: "flying",
      when: "Q_B",
      while_in_flight: { until: "Q_A", until_by: cost, at_most: "1h" },
    });
    const engine = new PolicyEngine([waiting, flying, light]);
    engine.evaluate(aSignal("Q_B"));
    const { outcomes, quarantined } = engine.evaluate(signal());
    expect(outcomes.map(({ rule }) => rule.id)).toEqual(["light"]);
    expect(quarantined.map(({ rule }) => rule.id)).toEqual(["waiting", "flying"]);
    expect(engine.expected).toEqual([]);
  });

  test("is not evaluated again by a replay of its dead letter before it is edited", () => {
    const engine = new PolicyEngine([heavy]);
    const failing = signal();
    engine.evaluate(failing);
    expect(() => engine.reevaluate(failing, "heavy")).toThrow("the rule heavy is quarantined");
  });
});

describe("rules that together take too many steps", () => {
  test("fail beyond the steps of one signal, and the one that took most is quarantined", () => {
    const where = (count: number) => `facts.list.all(a, facts.short.exists(b, b == ${count}))`;
    const rules = numbers(40).map((one) => aRule({ id: `r${String(one).padStart(2, "0")}`, where: where(one + 100) }));
    const most = aRule({ id: "most", priority: 1, where: where(100) });
    const engine = new PolicyEngine([most, ...rules]);
    const facts = { list: numbers(1_000), short: numbers(9) };
    const { outcomes, quarantined } = engine.evaluate(aSignal("Q_A", facts));
    expect(quarantined.length).toBeLessThanOrEqual(1);
    expect(outcomes.every(({ cut }) => cut === "work")).toBe(true);
  });
});
