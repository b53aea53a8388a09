import { describe, expect, test } from "vitest";
import { BUILT_IN_RULES } from "../../../src/core/policy/built-in-rules.ts";
import { CausalLoop, PolicyEngine } from "../../../src/core/policy/engine.ts";
import { compileExpression } from "../../../src/core/policy/expression.ts";
import { Rule } from "../../../src/core/policy/rule.ts";
import { KNOWN_SIGNALS } from "../../../src/core/signals/known-signals.ts";
import type { Signal } from "../../../src/core/signals/signal.ts";

const T0 = Date.UTC(2026, 0, 1);
let seq = 0;
const signal = (name: string, facts: Record<string, unknown>, afterMs = 0, depth = 0): Signal => ({
  seq: ++seq,
  id: `s${seq}`,
  signal: name,
  source: "t",
  ecosystem: "e",
  timestamp: "",
  received_at: new Date(T0 + afterMs).toISOString(),
  facts,
  depth,
});
const promotions = (count: number, afterMs = 0) => signal("Q_PROMOTIONS_DETECTED", { promotion_count: count }, afterMs);
const gap = (name: string) =>
  signal("CAPABILITY_GAP", {
    gap_name: name,
    gap_type: "t",
    gap_category: "c",
    gap_reason: "r",
    alignment_score: 0.95,
    install_cost: 0.1,
    metadata: {},
  });
const outcomes = (engine: PolicyEngine, ...signals: Signal[]) =>
  signals.map((item) => engine.take(item).verdicts[0]?.outcome);

describe("the built-in rules", () => {
  test("are rules as anybody's", () => {
    for (const rule of BUILT_IN_RULES) expect(Rule.parse(rule)).toEqual(rule);
  });

  test("no promotions, no dream", () => {
    expect(outcomes(new PolicyEngine(BUILT_IN_RULES), promotions(0))).toEqual([undefined]);
  });

  test("a dream is triggered once until it completes, or has taken too long", () => {
    const engine = new PolicyEngine(BUILT_IN_RULES);
    expect(outcomes(engine, promotions(1), promotions(2), signal("Q_DREAM_COMPLETE", {}), promotions(3))).toEqual([
      "fired",
      "suppressed",
      undefined,
      "fired",
    ]);
    expect(outcomes(engine, promotions(4, 7_199_999), promotions(5, 7_200_000))).toEqual(["suppressed", "fired"]);
  });

  test("what they emit has the facts that readers of it expect", () => {
    const engine = new PolicyEngine(BUILT_IN_RULES);
    for (const item of [promotions(3), gap("g")]) {
      const [verdict] = engine.take(item).verdicts;
      const [emission] = verdict?.emissions ?? [];
      const schema = KNOWN_SIGNALS[emission?.signal as keyof typeof KNOWN_SIGNALS].facts;
      expect(schema.parse(emission?.facts)).toEqual(emission?.facts);
    }
  });

  test("each gap is investigated for itself, once while it is open", () => {
    const engine = new PolicyEngine(BUILT_IN_RULES);
    const resolved = signal("CAPABILITY_GAP_RESOLVED", { gap_name: "a" });
    expect(outcomes(engine, gap("a"), gap("b"), gap("a"), resolved, gap("a"), gap("b"))).toEqual([
      "fired",
      "fired",
      "suppressed",
      undefined,
      "fired",
      "suppressed",
    ]);
  });
});

describe("the engine", () => {
  const failing: Rule = {
    ...(BUILT_IN_RULES[0] as Rule),
    id: "failing",
    where: "facts.nothing > 0",
  };

  test("a rule that fails is reported, starts nothing, and the next one is applied", () => {
    const engine = new PolicyEngine([failing, ...BUILT_IN_RULES]);
    expect(engine.take(promotions(1)).verdicts.map(({ rule, outcome }) => [rule.id, outcome])).toEqual([
      ["failing", "failed"],
      ["promotions-to-dream", "fired"],
    ]);
    expect(engine.inFlight.map(({ rule }) => rule)).toEqual(["promotions-to-dream"]);
  });

  test("a rule that is off does nothing", () => {
    expect(new PolicyEngine([{ ...failing, enabled: false }]).take(promotions(1)).verdicts).toEqual([]);
  });

  test("a rule whose expression is wrong is refused, with its place", () => {
    expect(() => new PolicyEngine([{ ...failing, where: "facts.a >" }])).toThrow(/failing, where: .*Unexpected/s);
  });

  test("a chain of sixteen causes ends, and changes nothing on its way out", () => {
    const engine = new PolicyEngine(BUILT_IN_RULES);
    expect(() => engine.take({ ...promotions(1), depth: 16 })).toThrow(CausalLoop);
    expect(outcomes(engine, { ...promotions(1), depth: 15 })).toEqual(["fired"]);
  });

  test("what was in flight before a restart is in flight after it", () => {
    const before = new PolicyEngine(BUILT_IN_RULES);
    before.take(promotions(1));
    const after = new PolicyEngine(BUILT_IN_RULES);
    after.restore(before.inFlight);
    expect(outcomes(after, promotions(1))).toEqual(["suppressed"]);
  });
});

describe("expressions", () => {
  const facts = { n: 3, list: [1, 2], name: "x" };
  test.each([
    ["facts.n + 1", 4],
    ["2 * facts.n == 6", true],
    ["facts.n / 2", 1.5],
    ["[facts.name, 1]", ["x", 1]],
    ['{"a": 1}', { a: 1 }],
    ["has(facts.nothing)", false],
    ["signal", "Q_A"],
  ])("%s is %j", (source, value) => {
    expect(compileExpression(source)({ signal: "Q_A", id: "i", source: "s", facts })).toEqual(value);
  });

  test("regular expressions that back-track are not available", () => {
    expect(() => compileExpression('facts.name.matches("^(a+)+$")')).toThrow("matches");
  });
});
