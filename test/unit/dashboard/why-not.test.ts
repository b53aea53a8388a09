import { describe, expect, test } from "vitest";
import { whyNot } from "../../../dashboard/chain/why-not.ts";
import type { Decision } from "../../../src/core/policy/decision.ts";

const signal = { signal: "DISK_FULL", id: "s1", received_at: "2026-01-31T12:00:00.000Z" };
const rule = {
  id: "tell",
  enabled: true,
  when: ["DISK_*"],
  where: undefined,
  changed_at: "2026-01-01T00:00:00.000Z",
  quarantined: undefined,
};
const decision = (change: Partial<Decision>): Decision => ({
  id: "d",
  rule: "tell",
  rule_version: 1,
  signal: { seq: 1, id: "s1", signal: "DISK_FULL" },
  decided_at: signal.received_at,
  outcome: "suppressed",
  values: {},
  effects: [],
  ...change,
});

describe("why a rule did not fire", () => {
  test("is the reason of its own decision where it made one", () => {
    const decisions = [decision({ reason: "cooldown until 12:10" })];
    expect(whyNot(signal, [rule], decisions)).toEqual([
      { rule: "tell", fired: false, because: "cooldown until 12:10" },
    ]);
  });

  test("is not the decision on another signal", () => {
    const other = decision({ signal: { seq: 2, id: "s2", signal: "DISK_FULL" }, reason: "of another" });
    expect(whyNot(signal, [{ ...rule, where: "facts.percent > 90" }], [other])[0]?.because).toBe(
      "its condition did not hold: facts.percent > 90",
    );
  });

  test.each([
    [{ when: ["Q_*"] }, "it decides on Q_*, and this is DISK_FULL"],
    [{ enabled: false }, "it is switched off"],
    [{ changed_at: "2026-01-31T13:00:00.000Z" }, "it was put or changed after this signal came"],
    [
      { quarantined: { since: signal.received_at, signal: { seq: 1, id: "s1" }, reason: "too many steps" } },
      "it is quarantined: too many steps",
    ],
  ])("is said where it made none: %j", (change, because) => {
    expect(whyNot(signal, [{ ...rule, ...change }], [])[0]?.because).toBe(because);
  });

  test("stands for the rules that looked at the signal first", () => {
    const rules = [{ ...rule, id: "a" }, rule];
    const fired = decision({ outcome: "fired" });
    expect(whyNot(signal, rules, [fired]).map(({ rule: id, fired: did }) => [id, did])).toEqual([
      ["tell", true],
      ["a", false],
    ]);
  });
});
