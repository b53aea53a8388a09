import { describe, expect, test } from "vitest";
import { SignalFilter } from "../../../src/core/policy/signal-filter.ts";
import type { Signal } from "../../../src/core/signals/signal.ts";

const AT = "2026-01-31T12:00:00.000Z";
const signal = (seq: number, facts: Record<string, unknown>): Signal => ({
  seq,
  id: `s${seq}`,
  signal: "X",
  source: "gpu-01",
  ecosystem: "e",
  facts,
  timestamp: AT,
  received_at: AT,
});

describe("a filter of signals", () => {
  test("reads facts, name, source and time", () => {
    const filter = new SignalFilter(
      'facts.n > 1 && signal == "X" && source.startsWith("gpu") && now < timestamp("2027-01-01T00:00:00Z")',
    );
    expect([1, 2].map((n) => filter.matches(signal(n, { n })))).toEqual([false, true]);
    expect(filter.counts).toEqual({ signals: 2, failed: 0 });
  });

  test("counts the signals on which it cannot be evaluated, and says why of the first", () => {
    const filter = new SignalFilter("facts.n > 1");
    expect([{}, { n: "text" }, { n: 2 }].map((facts, seq) => filter.matches(signal(seq, facts)))).toEqual([
      false,
      false,
      true,
    ]);
    expect(filter.counts).toMatchObject({ signals: 3, failed: 2, first_failure: expect.stringMatching(/^signal 0: /) });
  });

  test("ends after a bounded number of steps, on one signal and on all together", () => {
    const list = Array.from({ length: 400 }, (_, number) => number);
    const filter = new SignalFilter("facts.list.all(a, facts.list.all(b, a + b >= 0))");
    let evaluated = 0;
    while (!filter.exhausted && evaluated < 1_000) {
      filter.matches(signal(evaluated, { list }));
      evaluated++;
    }
    expect(evaluated).toBeLessThan(25);
    expect(filter.counts.first_failure).toMatch(/more than 50000 steps/);
  });

  test.each([["facts.n >"], ["1 + 1"], ["facts.n.matches('a')"]])("refuses %s", (condition) => {
    expect(() => new SignalFilter(condition)).toThrow();
  });
});
