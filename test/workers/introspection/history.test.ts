import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { call, freshEcosystem, post, problemOf } from "../api/calls.ts";
import { observationsOf } from "../log-under-test.ts";

interface Page {
  readonly points: readonly { ts: string; count: number; mean: number; max: number }[];
  readonly step_seconds: number;
  readonly reporters: readonly string[];
}

const NOON = Date.UTC(2026, 5, 1, 12);

/** Time stands still unless it is moved; the queue and the alarms go on in their own. */
beforeEach(() => void vi.useFakeTimers({ toFake: ["Date"], now: NOON }));
afterEach(() => void vi.useRealTimers());

async function observe(eco: string, reporter: string, cpu_percent: number): Promise<void> {
  const body = { signal: "OBSERVATION", source: "t", facts: { zooid: reporter, cpu_percent } };
  const answer = (await (await post(`/v1/${eco}/signals`, body)).json()) as { last_seq: number };
  await observationsOf(eco).catchUp(answer.last_seq);
}
const history = async (eco: string, query: string) =>
  (await (await call(`/v1/${eco}/observations/history?metric=cpu_percent&${query}`)).json()) as Page;
const rows = (eco: string) =>
  runInDurableObject(observationsOf(eco), (_, state) => [
    ...state.storage.sql.exec<{ step: number; rows: number }>(
      "SELECT step, COUNT(*) AS rows FROM history GROUP BY step",
    ),
  ]);

describe("the history", () => {
  test("has every observation once, by the minute, across restarts and a rebuild", async () => {
    const eco = freshEcosystem();
    for (let minute = 0; minute < 5; minute++) {
      vi.setSystemTime(NOON + minute * 60_000 + 10_000);
      await observe(eco, "a", 10 * minute);
      await observe(eco, "b", 10 * minute + 2);
      if (minute % 2 === 1) await evictDurableObject(observationsOf(eco));
    }
    const all = await history(eco, "step=60");
    expect(all.points.map(({ count, mean }) => [count, mean])).toEqual([
      [2, 1],
      [2, 11],
      [2, 21],
      [2, 31],
      [2, 41],
    ]);
    expect([all.step_seconds, all.reporters]).toEqual([60, ["a", "b"]]);
    expect((await history(eco, "reporter=b&step=120")).points.map(({ count, mean }) => [count, mean])).toEqual([
      [2, 7],
      [2, 27],
      [1, 42],
    ]);
    await observationsOf(eco).rebuild();
    expect((await history(eco, "step=60")).points).toEqual(all.points);
    await evictDurableObject(observationsOf(eco));
    expect((await history(eco, "step=60")).points).toEqual(all.points);
    // A row a minute for all series, and the minute that is not over has none yet.
    expect(await rows(eco)).toEqual([{ step: 60_000, rows: 4 }]);
  });

  test("is put together by the quarter of an hour after a day, and forgotten after thirty", async () => {
    const eco = freshEcosystem();
    for (let minute = 0; minute < 20; minute++) {
      vi.setSystemTime(NOON + minute * 60_000);
      await observe(eco, "a", minute);
    }
    vi.setSystemTime(NOON + 86_400_000 + 3_630_000);
    await observe(eco, "a", 50);
    const since = `since=${new Date(NOON).toISOString()}`;
    const page = await history(eco, `${since}&step=60`);
    expect([page.step_seconds, page.points.map(({ count, mean, max }) => [count, mean, max])]).toEqual([
      900,
      [
        [15, 7, 14],
        [5, 17, 19],
        [1, 50, 50],
      ],
    ]);
    expect(await rows(eco)).toEqual([{ step: 900_000, rows: 2 }]);
    vi.setSystemTime(NOON + 31 * 86_400_000);
    await observe(eco, "a", 60);
    vi.setSystemTime(NOON + 31 * 86_400_000 + 130_000);
    await observe(eco, "a", 60);
    expect((await history(eco, `${since}&step=3600`)).points.map(({ mean }) => mean)).toEqual([50, 60]);
  });

  test.each([
    ["", "/query/metric"],
    ["metric=a%20b", "/query/metric"],
    ["metric=a&since=2026-01-02&until=2026-01-01", "/query/since"],
    ["metric=a&since=2026-05-31T13:00:00Z&until=2026-06-10T12:00:00Z&step=60", "/query/step"],
  ])("refuses ?%s and points at %s", async (query, pointer) => {
    const { status, errors } = await problemOf(await call(`/v1/refusals/observations/history?${query}`));
    expect([status, errors?.[0]?.pointer]).toEqual([422, pointer]);
  });
});
