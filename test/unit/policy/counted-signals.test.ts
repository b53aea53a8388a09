import { describe, expect, it } from "vitest";
import { countedSignals, countedStretch } from "../../../src/core/policy/counted-signals.ts";
import { Rule } from "../../../src/core/policy/rule.ts";
import type { Signal } from "../../../src/core/signals/signal.ts";

const START = Date.parse("2026-01-31T12:00:00.000Z");
const rule = Rule.parse({
  id: "flapping",
  version: 1,
  when: ["Q_DOWN*", "!Q_DOWN_TEST"],
  where: "facts.real",
  at_least: { n: 3, within: "10m", by: "facts.host" },
  then: [{ emit: { signal: "Q_FLAPPING", facts: {} } }],
});
const signal = (seq: number, minute: number, host = "a", more: Partial<Signal> = {}): Signal => ({
  seq,
  id: `s${seq}`,
  signal: "Q_DOWN",
  source: "test",
  ecosystem: "e",
  facts: { host, real: true },
  timestamp: new Date(START).toISOString(),
  received_at: new Date(START + minute * 60_000).toISOString(),
  ...more,
});
const last = signal(9, 20);

describe("the signals behind an at_least", () => {
  it("are the last n of the rule's names and key that meet its condition within its time", () => {
    const others = [
      signal(2, 10), // too old: exactly ten minutes before
      signal(3, 12),
      signal(4, 13, "b"),
      signal(5, 14, "a", { signal: "Q_DOWN_TEST" }),
      signal(6, 15, "a", { facts: { host: "a", real: false } }),
      signal(7, 16, "a", { facts: {} }), // the rule failed on it
      signal(8, 18),
      last,
      signal(10, 20),
    ];
    expect(countedSignals(rule, last, others).map(({ seq }) => seq)).toEqual([3, 8, 9]);
  });

  it("are no more than n: the rule counts from zero after it has fired", () => {
    const many = [1, 2, 3, 4].map((seq) => signal(seq, 15 + seq));
    expect(countedSignals(rule, last, [...many, last]).map(({ seq }) => seq)).toEqual([3, 4, 9]);
  });

  it("lie in a stretch as long as the rule's time, and there are none without at_least", () => {
    expect(countedStretch(rule, last)).toEqual({ sinceMs: START + 600_000 });
    const { at_least: _, ...plain } = rule;
    expect(countedSignals(plain, last, [last])).toEqual([]);
    expect(countedStretch(plain, last)).toBeUndefined();
  });

  it("are found where the condition reads what the rule remembered", () => {
    const remembering = { ...rule, where: "state.seen > 3" };
    expect(countedSignals(remembering, last, [signal(3, 12), signal(8, 18), last]).map(({ seq }) => seq)).toEqual([
      3, 8, 9,
    ]);
  });
});
