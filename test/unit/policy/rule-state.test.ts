import { describe, expect, it } from "vitest";
import { RuleState } from "../../../src/core/policy/rule-state.ts";
import type { StateRow } from "../../../src/core/policy/state.ts";

const expected = (key: string): StateRow => ({
  kind: "expected",
  rule: "r",
  key,
  body: { since: { seq: 1, id: "s1", signal: "Q_A" }, sinceMs: 0, dueMs: 1_000, else: [] },
});
const once = (key: string, rule = "r"): StateRow => ({ kind: "once", rule, key, body: { by: "s1", untilMs: 1_000 } });

describe("the state of rules beyond its bytes", () => {
  it("refuses expectations, and takes them again when others were met", () => {
    let gaveWay = 0;
    const state = new RuleState({ maxBytes: 1_000, gaveWay: () => gaveWay++ });
    for (const key of ["a", "b", "c", "d"]) state.set(expected(key));
    expect(() => state.set(expected("e"))).toThrow("nothing more is expected until others are met");
    expect([state.rows.length, gaveWay]).toEqual([4, 1]);
    // One that is there already is written anew.
    state.set(expected("a"));
    state.delete("expected", "r", "b");
    state.set(expected("e"));
    expect(state.rows.map(({ key }) => key).sort()).toEqual(["a", "c", "d", "e"]);
  });

  it("lets the oldest of the rule give way to anything else, and counts what it holds", () => {
    const state = new RuleState({ maxBytes: 1_000 });
    for (let n = 0; n < 20; n++) state.set(once(`k${10 + n}`));
    expect(state.rows.map(({ key }) => key)).toEqual(["k25", "k26", "k27", "k28", "k29"]);
    // A rule that keeps nothing yet takes nothing from others.
    state.set(once("k", "other"));
    expect(state.rows).toHaveLength(6);
    state.forget("r");
    state.forget("other");
    expect(state.bytes).toBe(0);
    state.restore([once("a"), expected("b")]);
    const restored = state.bytes;
    expect(restored).toBeGreaterThan(0);
    state.restore([once("a"), expected("b")]);
    expect(state.bytes).toBe(restored);
  });
});
