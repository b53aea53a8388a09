import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { call, freshEcosystem, post } from "../api/calls.ts";
import { observationsOf } from "../log-under-test.ts";

/** Names that every object has before anybody puts them there. */
const INHERITED = ["constructor", "toString", "valueOf", "hasOwnProperty", "isPrototypeOf"];
const REPORTERS = ["resources", ...INHERITED];
const NOON = Date.UTC(2026, 5, 1, 12);

beforeEach(() => void vi.useFakeTimers({ toFake: ["Date"], now: NOON }));
afterEach(() => void vi.useRealTimers());

test("metrics and reporters with names that objects inherit are kept minute after minute, and stop nothing", async () => {
  const eco = freshEcosystem();
  const metrics = Object.fromEntries(INHERITED.map((name, place) => [name, place + 1]));
  for (let minute = 0; minute < 4; minute++) {
    vi.setSystemTime(NOON + minute * 60_000);
    const signals = REPORTERS.map((zooid) => ({ signal: "OBSERVATION", source: "t", facts: { zooid, ...metrics } }));
    const { last_seq } = (await (await post(`/v1/${eco}/signals`, signals)).json()) as { last_seq: number };
    await observationsOf(eco).catchUp(last_seq);
  }
  expect((await call(`/v1/${eco}/gaps`)).status).toBe(200);
  expect((await call(`/v1/${eco}/status`)).status).toBe(200);
  for (const [place, metric] of INHERITED.entries()) {
    // The minute that is not over is left out.
    const history = await (await call(`/v1/${eco}/observations/history?metric=${metric}&step=60`)).json();
    expect(history).toMatchObject({
      reporters: REPORTERS.toSorted(),
      points: Array.from({ length: 3 }, () => ({ count: REPORTERS.length, mean: place + 1 })),
    });
  }
  // Nothing was put on what all objects share.
  for (const name of INHERITED) expect(Object.keys(Reflect.get({}, name) as object)).toEqual([]);
});
