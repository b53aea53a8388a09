import { describe, expect, test } from "vitest";
import type { SignalPage } from "../../../src/core/signals/api.ts";
import { call, freshEcosystem, problemOf } from "../api/calls.ts";
import { aSignal, logOf } from "../log-under-test.ts";

async function pageOf(eco: string, filter: string, more: Record<string, string> = {}): Promise<SignalPage> {
  const query = new URLSearchParams({ filter, ...more });
  const answer = await call(`/v1/${eco}/signals?${query}`);
  if (answer.status !== 200) throw new Error(await answer.text());
  return answer.json();
}

async function withSignals(count: number): Promise<string> {
  const eco = freshEcosystem();
  for (let from = 0; from < count; from += 1_000) {
    const some = Array.from({ length: Math.min(1_000, count - from) }, (_, place) => aSignal("X", { n: from + place }));
    await logOf(eco).append({ signals: some });
  }
  return eco;
}

describe("a filter on the log", () => {
  test("answers the signals that meet it, and which part of the log was searched", async () => {
    const eco = await withSignals(10);
    await logOf(eco).append({ signals: [aSignal("Y", { other: 1 })] });
    const { signals, searched, next } = await pageOf(eco, "facts.n >= 7");
    expect(signals.map(({ facts }) => facts.n)).toEqual([7, 8, 9]);
    expect(searched).toMatchObject({ from: 1, through: 11, signals: 11, failed: 1 });
    expect(searched?.first_failure).toMatch(/^signal 11: /);
    expect(next).toBeNull();
    const named = await pageOf(eco, "facts.n >= 7", { signal: "X", order: "desc", limit: "2" });
    expect(named.signals.map(({ facts }) => facts.n)).toEqual([9, 8]);
    expect(named.searched).toMatchObject({ from: 10, through: 9, signals: 2, failed: 0 });
  });

  test("goes on where the page before ended, and misses nothing", async () => {
    const eco = await withSignals(3_500);
    for (const order of ["asc", "desc"] as const) {
      const found: unknown[] = [];
      let after: number | null | undefined;
      while (after !== null) {
        const page = await pageOf(eco, "facts.n % 500 == 0", {
          order,
          limit: "3",
          ...(after === undefined ? {} : { after: String(after) }),
        });
        expect(page.signals.length).toBeLessThanOrEqual(3);
        found.push(...page.signals.map(({ facts }) => facts.n));
        after = page.next;
      }
      const all = [0, 500, 1_000, 1_500, 2_000, 2_500, 3_000];
      expect(found).toEqual(order === "asc" ? all : all.toReversed());
    }
  });

  test("that does much on each signal ends early, with a place to go on from", async () => {
    const eco = freshEcosystem();
    const list = Array.from({ length: 400 }, (_, number) => number);
    await logOf(eco).append({ signals: Array.from({ length: 100 }, () => aSignal("X", { list })) });
    const { searched, next } = await pageOf(eco, "facts.list.all(a, facts.list.all(b, a + b >= 0))");
    expect(searched?.signals).toBeLessThan(25);
    expect(next).toBe(searched?.through);
  });

  test.each(["facts.n >", "1 + 1", "nobody == 1"])("refuses %s, and says where it is wrong", async (filter) => {
    const answer = await call(`/v1/${freshEcosystem()}/signals?${new URLSearchParams({ filter })}`);
    expect(await problemOf(answer)).toMatchObject({ status: 422, errors: [{ pointer: "/query/filter" }] });
  });
});
