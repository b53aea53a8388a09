import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import fc from "../../fast-check.ts";
import { freshEcosystem } from "../api/calls.ts";
import { anObservation, logOf, observationsOf } from "../log-under-test.ts";

const NOON = Date.UTC(2026, 5, 1, 12);
beforeEach(() => void vi.useFakeTimers({ toFake: ["Date"], now: NOON }));
afterEach(() => void vi.useRealTimers());

interface Modelled {
  readonly n: number;
  readonly tsMs: number;
  readonly seq: number;
}

test("whatever comes late, ahead of time or twice, and however often it is evicted, the window is the model's", async () => {
  const step = fc.oneof(
    {
      weight: 5,
      arbitrary: fc.record({
        offsets: fc.array(fc.constantFrom(0, -1, -5_000, -119_999, -120_000, -120_001, 60_000), {
          minLength: 1,
          maxLength: 60,
        }),
      }),
    },
    { weight: 3, arbitrary: fc.record({ pass: fc.constantFrom(1, 30_000, 75_000, 100_000, 119_999, 160_000) }) },
    { weight: 1, arbitrary: fc.constant("again" as const) },
    { weight: 3, arbitrary: fc.constant("evict" as const) },
  );
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 12, maxLength: 30 }), async (steps) => {
      const eco = freshEcosystem();
      let nowMs = NOON;
      vi.setSystemTime(nowMs);
      const by = { name: "t", id: "t" };
      await observationsOf(eco).changeSettings({ window_seconds: 120, window_capacity: 100 }, by);
      let model: Modelled[] = [];
      let n = 0;
      let last: Parameters<ReturnType<typeof logOf>["append"]>[0]["signals"] = [];
      for (const one of steps) {
        if (one === "evict") await evictDurableObject(observationsOf(eco));
        else if (one === "again") await logOf(eco).append({ signals: [...last] });
        else if ("pass" in one) nowMs += one.pass;
        else {
          last = one.offsets.map((offset) => {
            n++;
            return anObservation("r", { n }, { timestampMs: nowMs + offset, id: `${eco}-${n}` });
          });
          await logOf(eco).append({ signals: [...last] });
          const first = n - one.offsets.length;
          model.push(
            ...one.offsets.map((offset, place) => ({
              n: first + place + 1,
              tsMs: Math.min(nowMs, nowMs + offset),
              seq: first + place,
            })),
          );
        }
        vi.setSystemTime(nowMs);
        await observationsOf(eco).catchUp((await logOf(eco).status()).head_seq);
        model = model
          .filter(({ tsMs }) => tsMs >= nowMs - 120_000)
          .sort((a, b) => a.tsMs - b.tsMs || a.seq - b.seq)
          .slice(-100);
        const { observations } = await observationsOf(eco).observations({ seconds: 3_600, limit: 10_000 });
        expect(observations.map(({ facts }) => facts.n)).toEqual(model.map((each) => each.n));
      }
    }),
    { numRuns: 12 },
  );
}, 60_000);

test("what has left the window and is in the history is not kept", async () => {
  const eco = freshEcosystem();
  await observationsOf(eco).changeSettings({ window_capacity: 100 }, { name: "t", id: "t" });
  const kept = () =>
    runInDurableObject(observationsOf(eco), (_, state) => {
      const slices = [...state.storage.sql.exec<{ slice: number }>("SELECT slice FROM slices")];
      const rows = slices.map(
        ({ slice }) => state.storage.sql.exec<{ n: number }>(`SELECT COUNT(*) AS n FROM segments_${slice}`).one().n,
      );
      return rows.reduce((sum, count) => sum + count, 0);
    });
  for (let batch = 0; batch < 12; batch++) {
    vi.setSystemTime(NOON + batch * 20_000);
    const signals = Array.from({ length: 1_000 }, () => anObservation("r", { batch }));
    await logOf(eco).append({ signals });
    await observationsOf(eco).catchUp((batch + 1) * 1_000);
  }
  // Of twelve rows those of the minute that is not over, and of the slice that is being filled.
  expect(await kept()).toBeLessThanOrEqual(7);
  await evictDurableObject(observationsOf(eco));
  const { observations, size } = await observationsOf(eco).observations({ seconds: 300, limit: 1 });
  expect([size, observations[0]?.facts.batch]).toEqual([100, 11]);
  const query = { metric: "ok", sinceMs: NOON - 60_000, untilMs: NOON + 600_000, stepMs: 3_600_000 };
  expect((await observationsOf(eco).history(query)).points.reduce((sum, { count }) => sum + count, 0)).toBe(12_000);
});
