import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { describe, expect, test, vi } from "vitest";
import { call, freshEcosystem } from "../api/calls.ts";
import { aSignal, logOf } from "../log-under-test.ts";

vi.setConfig({ testTimeout: 120_000 });

const nameOf = (n: number) => `Q_${String(n).padStart(120, "0")}`;
const find = async (eco: string, name: string) => {
  const found: { seq: number }[] = [];
  for (let after: number | null = 0; after !== null; ) {
    const path: string = `/v1/${eco}/signals?signal=${name}&after=${after}&order=asc`;
    const page: { signals: { seq: number }[]; next: number | null } = await (await call(path)).json();
    found.push(...page.signals);
    after = page.next;
  }
  return found.map(({ seq }) => seq);
};

/** Bytes of the largest row of each table of the log, bodies of segments left out. */
const largestRows = (eco: string) =>
  runInDurableObject(logOf(eco), (_, { storage: { sql } }) => {
    const { slice } = sql.exec<{ slice: number }>("SELECT MAX(slice) AS slice FROM slices").one();
    const largest = (query: string) => sql.exec<{ bytes: number | null }>(query).one().bytes ?? 0;
    return {
      zones: largest(`SELECT MAX(LENGTH(body)) AS bytes FROM zones_${slice}`),
      headers: largest(
        `SELECT MAX(LENGTH(names) + LENGTH(producers) + LENGTH(COALESCE(ids, ''))) AS bytes FROM segments_${slice}`,
      ),
      bases: largest("SELECT MAX(LENGTH(base)) AS bytes FROM slices"),
      producers: largest("SELECT MAX(LENGTH(body)) AS bytes FROM producers"),
    };
  });

describe("log with names without bound", () => {
  test("takes 300 requests of 900 new names each, and finds the signals of each name", async () => {
    const eco = freshEcosystem();
    for (let request = 0; request < 300; request++) {
      const signals = Array.from({ length: 900 }, (_, n) => aSignal(nameOf(request * 900 + n), {}));
      expect(await logOf(eco).append({ signals })).toMatchObject({ accepted: 900 });
    }
    const rows = await largestRows(eco);
    expect(Math.max(...Object.values(rows))).toBeLessThan(1_000_000);
    await evictDurableObject(logOf(eco));
    expect(await logOf(eco).append({ signals: [aSignal("Q_LAST", {})] })).toMatchObject({ accepted: 1 });
    expect(await find(eco, nameOf(0))).toEqual([1]);
    expect(await find(eco, nameOf(123_456))).toEqual([123_457]);
    expect(await find(eco, nameOf(300 * 900 - 1))).toEqual([300 * 900]);
    expect(await find(eco, "Q_LAST")).toEqual([300 * 900 + 1]);
    expect(await find(eco, "Q_NOBODY_SAID_THIS")).toEqual([]);
  });
});

describe("log with producers without bound", () => {
  test("goes on from the state of an earlier version that could not store its producers any more", async () => {
    const eco = freshEcosystem();
    const append = (name: string, first: number, count = 1) =>
      logOf(eco).append({
        producer: { name, first },
        signals: Array.from({ length: count }, () => aSignal("Q_A", {})),
      });
    await append("p.0", 1);
    await runInDurableObject(logOf(eco), (_, { storage: { sql } }) => {
      const producers = Object.fromEntries(
        Array.from({ length: 40_000 }, (_, n) => [`host-${n}.epoch.local.lane`, n + 1]),
      );
      const base = JSON.parse(sql.exec<{ base: string }>("SELECT base FROM slices").one().base) as object;
      sql.exec("UPDATE slices SET base = ?", JSON.stringify({ ...base, producers }));
    });
    await evictDurableObject(logOf(eco));
    expect(await append("host-9.epoch.local.lane", 10)).toMatchObject({ accepted: 0, duplicates: 1 });
    for (let n = 2; n <= 300; n++) await append("p.0", n);
    const { bases: _, ...rows } = await largestRows(eco);
    expect(Math.max(...Object.values(rows))).toBeLessThan(1_000_000);
    await evictDurableObject(logOf(eco));
    expect(await append("host-39999.epoch.local.lane", 40_000)).toMatchObject({ accepted: 0, duplicates: 1 });
    expect(await append("p.0", 300)).toMatchObject({ accepted: 0, duplicates: 1 });
  });
});
