import { describe, expect, test } from "vitest";
import { BUILT_IN_RULES } from "../../../src/core/policy/built-in-rules.ts";
import { PolicyEngine } from "../../../src/core/policy/engine.ts";
import { Rule } from "../../../src/core/policy/rule.ts";
import { KNOWN_SIGNALS } from "../../../src/core/signals/known-signals.ts";
import { aSignal, outcomes, reasons, T0 } from "./a-signal.ts";

const promotions = (count: number, afterMs = 0) =>
  aSignal("Q_PROMOTIONS_DETECTED", { promotion_count: count }, afterMs);
const gap = (name: string, more: Record<string, unknown> = {}) =>
  aSignal("CAPABILITY_GAP", {
    gap_name: name,
    gap_type: "t",
    gap_category: "c",
    gap_reason: "r",
    alignment_score: 0.95,
    install_cost: 0.1,
    metadata: {},
    ...more,
  });
const question = (text: string, id: string, more: Record<string, unknown> = {}, afterMs = 0) =>
  aSignal("Q_CURIOSITY_INVESTIGATE", { question: text, question_id: id, ...more }, afterMs);

describe("the built-in rules", () => {
  test("satisfy the schema of rules", () => {
    for (const rule of BUILT_IN_RULES) expect(Rule.parse(rule)).toEqual(rule);
  });

  test("do not start a dream without promotions", () => {
    expect(outcomes(new PolicyEngine(BUILT_IN_RULES), promotions(0))).toEqual([undefined]);
  });

  test("trigger a dream once until it completes or its time is over", () => {
    const engine = new PolicyEngine(BUILT_IN_RULES);
    const complete = aSignal("Q_DREAM_COMPLETE");
    expect(outcomes(engine, promotions(1), promotions(2), complete, promotions(3))).toEqual([
      "fired",
      "suppressed",
      undefined,
      "fired",
    ]);
    expect(outcomes(engine, promotions(4, 7_199_999), promotions(5, 7_200_000))).toEqual(["suppressed", "fired"]);
  });

  test("let the next dream begin when one has failed, and emit no time-out for the failed one", () => {
    const engine = new PolicyEngine(BUILT_IN_RULES);
    expect(
      outcomes(engine, promotions(1), aSignal("Q_DREAM_FAILED"), promotions(1), aSignal("Q_DREAM_COMPLETE")),
    ).toEqual(["fired", undefined, "fired", undefined]);
    expect(engine.nextDueMs).toBeUndefined();
  });

  test("emit a time-out for a dream that does not end in time, to the millisecond", () => {
    const engine = new PolicyEngine(BUILT_IN_RULES);
    engine.evaluate(promotions(7));
    expect(engine.nextDueMs).toBe(T0 + 7_200_001);
    expect(engine.advanceClock(T0 + 7_200_000).outcomes).toEqual([]);
    const [late] = engine.advanceClock(T0 + 7_200_001).outcomes;
    expect(late).toMatchObject({ by: "time", effects: [{ signal: "Q_DREAM_TIMEOUT", facts: { promotion_count: 7 } }] });
    expect(engine.nextDueMs).toBeUndefined();
  });

  test("emit signals whose facts satisfy their schemas", () => {
    const engine = new PolicyEngine(BUILT_IN_RULES);
    for (const item of [promotions(3), gap("g")]) {
      const [emission] = engine.evaluate(item).outcomes[0]?.effects ?? [];
      if (emission?.kind !== "emit") throw new Error("nothing was emitted");
      const schema = KNOWN_SIGNALS[emission.signal as keyof typeof KNOWN_SIGNALS].facts;
      expect(schema.parse(emission.facts)).toEqual(emission.facts);
    }
  });

  test("investigate each gap separately, once while it is open", () => {
    const engine = new PolicyEngine(BUILT_IN_RULES);
    const resolved = aSignal("CAPABILITY_GAP_RESOLVED", { gap_name: "a" });
    expect(outcomes(engine, gap("a"), gap("b"), gap("a"), resolved, gap("a"), gap("b"))).toEqual([
      "fired",
      "fired",
      "suppressed",
      undefined,
      "fired",
      "suppressed",
    ]);
  });

  test("investigate a gap again when it reopens", () => {
    const engine = new PolicyEngine(BUILT_IN_RULES);
    const [first] = engine.evaluate(gap("a")).outcomes[0]?.effects ?? [];
    engine.evaluate(aSignal("CAPABILITY_GAP_RESOLVED", { gap_name: "a" }));
    const [second] = engine.evaluate(gap("a", { reopened: 1 })).outcomes[0]?.effects ?? [];
    const asked = [first, second].map((effect, place) => {
      if (effect?.kind !== "emit") throw new Error("nothing was emitted");
      return question(String(effect.facts.question), `q${place}`, effect.facts);
    });
    expect(outcomes(engine, ...asked)).toEqual(["fired", "fired"]);
  });

  test("send a question to the investigators once, however it is phrased", () => {
    const engine = new PolicyEngine(BUILT_IN_RULES);
    const [first, again] = [
      question("Why is inference slow on gpu-01?", "q1", { priority: "high" }),
      question("why is  inference so slow on GPU-01", "q2"),
    ].map((signal) => engine.evaluate(signal).outcomes[0]);
    expect(first).toMatchObject({
      outcome: "fired",
      effects: [{ kind: "enqueue", queue: "investigations", recipient: "investigator", priority: 3 }],
    });
    expect(again).toMatchObject({
      outcome: "suppressed",
      effects: [{ signal: "Q_INVESTIGATION_DUPLICATE", facts: { question_id: "q2", duplicate_of: "q1" } }],
    });
  });

  test("treat questions about different subjects as different however similar they are", () => {
    const engine = new PolicyEngine(BUILT_IN_RULES);
    const about = (what: string, more = {}) =>
      question(`What does the module ${what} do, and should it become one of our capabilities?`, what, more);
    const all = [about("alpha"), about("beta"), about("gpu_1"), about("gpu_2")];
    expect(outcomes(engine, ...all)).toEqual(["fired", "fired", "fired", "fired"]);
  });

  test("let a question pass that asks to investigate again", () => {
    const engine = new PolicyEngine(BUILT_IN_RULES);
    const text = "Why is inference slow?";
    expect(
      outcomes(
        engine,
        question(text, "a", { intent_type: "question" }),
        question(text, "b", { intent_type: "question" }),
        question(text, "c", { intent_type: "reinvestigate.inference" }),
        question(text, "d", { intent_type: "question", reinvestigate: true }),
      ),
    ).toEqual(["fired", "suppressed", "fired", "fired"]);
  });

  test("emit a time-out for an unanswered investigation after ten minutes, and none for a near-duplicate", () => {
    const engine = new PolicyEngine(BUILT_IN_RULES);
    const complete = (id: string, afterMs: number) => aSignal("Q_INVESTIGATION_COMPLETE", { question_id: id }, afterMs);
    engine.evaluate(question("Why is inference slow?", "a"));
    engine.evaluate(question("Why is inference so slow?", "a2"));
    engine.evaluate(question("Where does the memory go?", "b"));
    engine.evaluate(complete("a", 600_000));
    const late = engine.evaluate(complete("b", 600_001)).outcomes;
    expect(late.map(({ effects }) => effects)).toMatchObject([
      [{ signal: "Q_INVESTIGATION_TIMEOUT", facts: { question_id: "b" } }],
    ]);
    expect(reasons(engine, aSignal("Q_QUEUE_ALERT", { rule: "task_slow" }))).toEqual([undefined]);
  });

  test("send an alert of a queue to the endpoint alerts", () => {
    const alert = aSignal("Q_QUEUE_ALERT", { rule: "queue_deep" });
    const [outcome] = new PolicyEngine(BUILT_IN_RULES).evaluate(alert).outcomes;
    expect(outcome?.effects).toEqual([{ kind: "webhook", endpoint: "alerts", body: alert }]);
  });

  test.each<[string, Record<string, unknown>]>([
    ["Q_AGENT_DOWN", { host: "a", since: "x", reason: "silent", last_seen: null }],
    ["Q_HEALTH_ALERT", { host: "a", kind: "disk", state: "raised" }],
    ["Q_DREAM_TIMEOUT", { reason: "no_completion_in_time", promotion_count: 1 }],
    ["Q_INVESTIGATION_TIMEOUT", { question_id: "a", question: "Why?" }],
    ["Q_DEAD_LETTERS_GROWING", { open: 20, limit: 20 }],
    ["Q_PROCESS_GAVE_UP", { host: "a", agent: "coder", reason: "it crashed" }],
  ])("send one notice of %s to the endpoint alerts", (name, facts) => {
    const signal = aSignal(name, facts);
    const sent = new PolicyEngine(BUILT_IN_RULES)
      .evaluate(signal)
      .outcomes.flatMap(({ effects }) => effects)
      .filter(({ kind }) => kind === "webhook");
    expect(sent).toEqual([{ kind: "webhook", endpoint: "alerts", body: signal }]);
  });

  test("send no notice of a warm card as of a full disk", () => {
    const { outcomes } = new PolicyEngine(BUILT_IN_RULES).evaluate(
      aSignal("Q_HEALTH_ALERT", { kind: "gpu_temperature" }),
    );
    expect(outcomes.flatMap(({ effects }) => effects)).toEqual([]);
  });

  test("investigate 100 gaps of one source and 200 of one sender in an hour, and those of others besides", () => {
    const engine = new PolicyEngine(BUILT_IN_RULES);
    const fired = (names: readonly string[], source: string, sender: string | undefined, afterMs = 0) =>
      names.filter((name) => {
        const signal = { ...gap(name), source, received_at: new Date(T0 + afterMs).toISOString() };
        return engine.evaluate(signal, undefined, sender).outcomes[0]?.outcome === "fired";
      }).length;
    const named = (prefix: string) => Array.from({ length: 150 }, (_, n) => `${prefix}-${n}`);
    expect(fired(named("a"), "x", "token:1")).toBe(100);
    expect(fired(named("b"), "y", "token:1")).toBe(100);
    expect(fired(named("c"), "z", "token:1")).toBe(0);
    expect(fired(named("d"), "x", "token:2")).toBe(100);
    // Where nobody knows the sender, as in a simulation, or where the edge itself emits, no share is counted.
    expect(fired(named("e"), "x", undefined)).toBe(150);
    expect(fired(named("f"), "ganglion/policy", "")).toBe(150);
    expect(fired(named("g"), "x", "token:1", 3_600_000)).toBe(100);
  });

  test("charge a gap that the edge found to who sent the samples behind it", () => {
    const engine = new PolicyEngine(BUILT_IN_RULES);
    const metadata = { sender: "token:1", source: "fake" };
    const outcomesOf = (source: string, sender: string, prefix: string) =>
      Array.from({ length: 101 }, (_, n) => {
        const signal = { ...gap(`${prefix}-${n}`, { metadata }), source };
        return engine.evaluate(signal, undefined, sender).outcomes[0];
      });
    expect(outcomesOf("ganglion/observations", "", "g").at(-1)).toMatchObject({
      outcome: "suppressed",
      spent: { party: metadata, limit: 100 },
    });
    // What a caller says there counts for nothing.
    expect(outcomesOf("forged", "token:2", "h").at(-1)).toMatchObject({ spent: { party: { sender: "token:2" } } });
  });
});
