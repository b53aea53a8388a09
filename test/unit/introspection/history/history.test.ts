import { describe, expect, test } from "vitest";
import {
  encodeSeries,
  HistoryCollector,
  mergeSeries,
  metricsOf,
  type Series,
} from "../../../../src/core/introspection/history/collector.ts";
import { Summary } from "../../../../src/core/introspection/history/point.ts";
import { FINE_MS, HistoryAnswer, QUARTER_MS, stepFor } from "../../../../src/core/introspection/history/query.ts";
import fc from "../../../fast-check.ts";
import { aSample } from "../scanners/a-sample.ts";

describe("a summary", () => {
  test("of parts that were stored and put together is the summary of the whole", () => {
    const numbers = fc.array(fc.integer({ min: -1_000, max: 1_000 }), { minLength: 1, maxLength: 60 });
    fc.assert(
      fc.property(numbers, numbers, (left, right) => {
        const of = (values: readonly number[]) => {
          const summary = new Summary();
          for (const value of values) summary.add(value);
          return summary;
        };
        const merged = new Summary();
        for (const part of [left, right]) merged.merge(JSON.parse(JSON.stringify(of(part).store())));
        expect(merged.point(0)).toEqual(of([...left, ...right]).point(0));
      }),
    );
  });

  test("says what was measured", () => {
    const summary = new Summary();
    for (let n = 1; n <= 100; n++) summary.add(n);
    const { p50, p95, ...rest } = summary.point(60_000);
    expect(rest).toEqual({ ts: "1970-01-01T00:01:00.000Z", count: 100, mean: 50.5, min: 1, max: 100 });
    expect([Math.abs(p50 / 50 - 1), Math.abs(p95 / 95 - 1)].every((error) => error <= 0.01)).toBe(true);
  });
});

describe("the collector", () => {
  test("keeps numbers by minute, metric and reporter, under names that can be asked for", () => {
    const facts = { cpu_percent: 5, host: "h", "bad name": 1, 'q"uote': 1, ttr_ms: 7, nested: { n: 1 }, huge: -1e301 };
    expect([...metricsOf(aSample(1, facts, { ok: false }))]).toEqual([
      ["ok", 0],
      ["cpu_percent", 5],
      ["ttr_ms", 7],
    ]);
    const collector = new HistoryCollector();
    for (const [seq, tsMs] of [
      [1, 0],
      [2, 59_999],
      [3, 60_000],
    ] as const)
      collector.add(aSample(seq, { cpu_percent: seq }, { tsMs }));
    expect(
      collector.minutes().map(([start, series]) => [start, series.get("cpu_percent")?.get("r")?.store()[0]]),
    ).toEqual([
      [0, 2],
      [60_000, 1],
    ]);
    expect([collector.has(0), collector.has(1)]).toEqual([false, true]);
    collector.forget(60_000);
    expect(collector.minutes().map(([start]) => start)).toEqual([60_000]);
  });

  test("splits what is too much for a row, and loses nothing by it, whatever reporters are called", () => {
    const collector = new HistoryCollector();
    const names = Array.from({ length: 9_000 }, (_, n) => `reporter-${n}-${"x".repeat(40)}`);
    for (const [n, reporter] of ["__proto__", "constructor", ...names].entries())
      collector.add(aSample(n, { a: n, b: n }, { reporter, tsMs: 0 }));
    const [, series] = collector.minutes()[0] as [number, Series];
    const bodies = encodeSeries(series);
    expect(bodies.length).toBeGreaterThan(1);
    expect(Math.max(...bodies.map((body) => body.length))).toBeLessThan(1_500_000);
    const back: Series = new Map();
    for (const body of bodies) mergeSeries(back, body);
    const kept = [...series.values()].reduce((sum, reporters) => sum + reporters.size, 0);
    expect([...back.values()].reduce((sum, reporters) => sum + reporters.size, 0)).toBe(kept);
    expect(back.get("a")?.has("__proto__")).toBe(true);
    expect(collector.takeDropped()).toBe(3 * names.length + 6 - kept);
    expect(collector.takeDropped()).toBe(0);
  });
});

describe("a question about the past", () => {
  test.each([
    [3_600_000, undefined, 60_000],
    [86_400_000, undefined, 720_000],
    [86_400_000, 61_000, 120_000],
    [FINE_MS + 60_000, 60_000, QUARTER_MS],
    [7 * FINE_MS, undefined, 90 * 60_000],
  ])("over %d ms with a step of %s ms is answered in steps of %d ms", (lengthMs, asked, step) => {
    expect(stepFor(10 * FINE_MS - lengthMs, 10 * FINE_MS, 10 * FINE_MS, asked)).toBe(step);
  });

  test("is answered for one reporter or for all, and names who there is", () => {
    const query = { metric: "m", sinceMs: 0, untilMs: 600_000, stepMs: 120_000 };
    const answer = (reporter?: string) => {
      const made = new HistoryAnswer(reporter === undefined ? query : { ...query, reporter });
      made.add(0, "a", [1, 5, 5, 5, 0, 1]);
      made.add(60_000, "b", [1, 7, 7, 7, 0, 1]);
      made.add(120_000, "b", [1, 9, 9, 9, 0, 1]);
      return made.page();
    };
    expect(answer().points.map(({ ts, count, mean }) => [ts.slice(14, 19), count, mean])).toEqual([
      ["00:00", 2, 6],
      ["02:00", 1, 9],
    ]);
    expect(answer("b")).toMatchObject({
      reporter: "b",
      reporters: ["a", "b"],
      points: [{ count: 1, mean: 7 }, { mean: 9 }],
    });
  });
});
