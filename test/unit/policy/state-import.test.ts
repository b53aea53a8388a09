import { describe, expect, it } from "vitest";
import { endedMarks } from "../../../src/core/policy/ended-marks.ts";
import { PolicyEngine } from "../../../src/core/policy/engine.ts";
import { planStateImport, StateImport } from "../../../src/core/policy/state-import.ts";
import { WarmUp } from "../../../src/core/policy/warm-up.ts";
import { aRule, aSignal, outcomes, reasons, T0 } from "./a-signal.ts";

const HOUR = 3_600_000;
const at = (afterMs: number) => new Date(T0 + afterMs).toISOString();
const dream = aRule({ while_in_flight: { until: "Q_B", at_most: "2h" } });
const gap = aRule({ while_in_flight: { by: "facts.gap", until: "Q_B", until_by: "facts.gap", at_most: "1d" } });
const cooling = aRule({ cooldown: "1h" });
const once = aRule({ once_per: { by: "facts.key", within: "1d" } });
const both = aRule({ cooldown: "1h", once_per: { by: "facts.key", within: "1d" } });

/** Imports at the time T0. @returns what became of the marks */
function importInto(engine: PolicyEngine, request: unknown, nowMs = T0) {
  const [rule = dream] = engine.rules;
  const plan = planStateImport(rule, StateImport.parse(request), nowMs);
  if ("errors" in plan) return plan.errors.map(({ pointer, message }) => `${pointer}: ${message}`);
  const { kept, unchanged } = engine.holdBack("r", plan.marks, "ops");
  return { kept: kept.length, unchanged: unchanged.length, ignored: plan.ignored.map(({ message }) => message) };
}
const a = (afterMs: number, facts = {}) => aSignal("Q_A", facts, afterMs);

describe("imported state of a rule", () => {
  it("holds the rule back while the older work is in flight, and says who imported it", () => {
    const engine = new PolicyEngine([dream]);
    expect(importInto(engine, { in_flight: [{ since: at(-HOUR) }] })).toEqual({ kept: 1, unchanged: 0, ignored: [] });
    expect(reasons(engine, a(1))).toEqual([`in flight since ${at(-HOUR)} (imported by ops)`]);
    expect(outcomes(engine, a(HOUR - 1), a(HOUR))).toEqual(["suppressed", "fired"]);
  });

  it("ends when the older work ends, and does not begin again where it is imported a second time", () => {
    const engine = new PolicyEngine([dream]);
    importInto(engine, { in_flight: [{ since: at(-HOUR) }] });
    expect(importInto(engine, { in_flight: [{ since: at(-HOUR) }] })).toMatchObject({ kept: 0, unchanged: 1 });
    engine.evaluate(aSignal("Q_B", {}, 1));
    expect(importInto(engine, { in_flight: [{ since: at(-HOUR) }] }, T0 + 2)).toMatchObject({ kept: 0, unchanged: 1 });
    expect(outcomes(engine, a(3))).toEqual(["fired"]);
  });

  it("has ended where the log has its end already, after its beginning and under its key", () => {
    const marks = ["cpu", "disk"].map((key) => ({
      pointer: "",
      kind: "in_flight" as const,
      key,
      sinceMs: T0,
      untilMs: T0 + HOUR,
    }));
    const ends = [aSignal("Q_B", { gap: "cpu" }, 1), aSignal("Q_B", { gap: "disk" }, 0), aSignal("Q_B", {}, 1)];
    expect([...endedMarks(gap, marks, ends)]).toEqual([[marks[0], ends[0]]]);
    expect([...endedMarks(dream, [{ ...marks[0], key: undefined } as never], ends)]).toHaveLength(1);
  });

  it("never shortens what is there", () => {
    const engine = new PolicyEngine([dream]);
    engine.evaluate(a(0));
    expect(importInto(engine, { in_flight: [{ since: at(-HOUR) }] }, T0 + 1)).toMatchObject({ kept: 0, unchanged: 1 });
    expect(outcomes(engine, a(2 * HOUR - 1), a(2 * HOUR))).toEqual(["suppressed", "fired"]);
  });

  it("is kept apart by the value that the rule keeps apart by", () => {
    const engine = new PolicyEngine([gap]);
    importInto(engine, { in_flight: [{ key: "cpu", since: at(-HOUR) }] });
    expect(outcomes(engine, a(1, { gap: "cpu" }), a(1, { gap: "disk" }))).toEqual(["suppressed", "fired"]);
    engine.evaluate(aSignal("Q_B", { gap: "cpu" }, 2));
    expect(outcomes(engine, a(3, { gap: "cpu" }))).toEqual(["fired"]);
  });

  it("lets a cooldown and a firing for a value run on", () => {
    const engine = new PolicyEngine([both]);
    expect(importInto(engine, { fired: [{ key: "x", at: at(-HOUR / 2) }] })).toMatchObject({ kept: 2 });
    expect(reasons(engine, a(1, { key: "y" }))).toEqual([
      `cooling down since ${at(-HOUR / 2)} (imported by ops), until ${at(HOUR / 2)}`,
    ]);
    expect(outcomes(engine, a(HOUR / 2, { key: "y" }), a(2 * HOUR, { key: "x" }), a(24 * HOUR, { key: "x" }))).toEqual([
      "fired",
      "suppressed",
      "fired",
    ]);
  });

  it("ends before the rule's own time where the older system says so, and never after it", () => {
    const engine = new PolicyEngine([cooling]);
    importInto(engine, { fired: [{ at: at(-60_000), until: at(60_000) }] });
    expect(outcomes(engine, a(59_999), a(60_000))).toEqual(["suppressed", "fired"]);
    const other = new PolicyEngine([cooling]);
    importInto(other, { fired: [{ at: at(0), until: at(9 * HOUR) }] });
    expect(outcomes(other, a(HOUR - 1), a(HOUR))).toEqual(["suppressed", "fired"]);
  });

  it("means nothing where it is older than the rule's own time, and says since when", () => {
    const ignored = [`over since ${at(0)}: the rule keeps it for 2h at most`];
    expect(importInto(new PolicyEngine([dream]), { in_flight: [{ since: at(-2 * HOUR) }] })).toEqual({
      kept: 0,
      unchanged: 0,
      ignored,
    });
  });

  it.each([
    [dream, { in_flight: [{ since: at(60_001) }] }, "/in_flight/0/since: 2026-01-01T00:01:00.001Z is in the future"],
    [dream, { in_flight: [{ since: at(0), until: at(0) }] }, "/in_flight/0/until: give a time after since"],
    [dream, { in_flight: [{ key: "x", since: at(0) }] }, "/in_flight/0/key: leave the key out"],
    [gap, { in_flight: [{ since: at(0) }] }, "/in_flight/0/key: give the key: the rule keeps apart by facts.gap"],
    [cooling, { in_flight: [{ since: at(0) }] }, "/in_flight/0: the rule r has no while_in_flight"],
    [dream, { fired: [{ at: at(0) }] }, "/fired/0: the rule r has neither cooldown nor once_per"],
    [once, { fired: [{ at: at(0) }] }, "/fired/0/key: give the key"],
    [cooling, { fired: [{ at: at(0), key: "x" }] }, "/fired/0/key: leave the key out"],
  ])("is refused as a whole where the rule cannot have it", (rule, request, text) => {
    const engine = new PolicyEngine([rule]);
    expect(importInto(engine, request)).toEqual([expect.stringContaining(text)]);
    expect(engine.state).toEqual([]);
  });

  it("takes no other's place where the rule keeps as much as it may", () => {
    const engine = new PolicyEngine([once], { maxBytes: 1 });
    engine.evaluate(a(0, { key: "first" }));
    const plan = planStateImport(once, StateImport.parse({ fired: [{ key: "x", at: at(0) }] }), T0);
    if ("errors" in plan) throw new Error("refused");
    expect(engine.holdBack("r", plan.marks, "ops")).toMatchObject({ kept: [], refused: [{ key: "x" }], mutations: [] });
    expect(outcomes(engine, a(1, { key: "first" }))).toEqual(["suppressed"]);
  });

  it("is bounded, and names a field that it does not know", () => {
    const many = { in_flight: Array.from({ length: 101 }, () => ({ since: at(0) })) };
    for (const [request, text] of [
      [many, "100 marks at most"],
      [{}, "give in_flight or fired"],
      [{ in_flight: [{ since: "soon" }] }, "RFC 3339"],
      [{ in_flight: [{ since: at(0), kay: "x" }] }, "kay"],
      [{ fired: [{ at: at(0), key: "x".repeat(513) }] }, "512"],
    ] as const)
      expect(StateImport.safeParse(request).error?.message).toContain(text);
  });

  it("holds a simulated rule back, too, where the past is derived from its record", () => {
    const marks = [{ kind: "in_flight" as const, since: at(-HOUR), until: at(HOUR) }];
    const imported = { by: "ops", marks };
    const record = { id: "d1", rule: "r", rule_version: 1, values: {}, effects: [], outcome: "suppressed" as const };
    const signal = { seq: 0, id: "i", signal: "Q_POLICY_STATE_IMPORTED" };
    const warmUp = new WarmUp([dream], [{ ...record, signal, decided_at: at(0), imported }]);
    warmUp.process(a(1));
    expect(warmUp.snapshotAt(T0 + 2).rows).toMatchObject([
      { kind: "flight", body: { startedBy: `${at(-HOUR)} (imported by ops)`, untilMs: T0 + HOUR } },
      { kind: "imported" },
    ]);
  });
});
