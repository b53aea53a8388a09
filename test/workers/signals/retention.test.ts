import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, describe, expect, test, vi } from "vitest";
import { evict } from "../evict.ts";
import { allOf, aSignal, logOf } from "../log-under-test.ts";

const DAY_MS = 86_400_000;
/** What the settings say, as a deployment would; objects read them when they wake. */
const settings = env as { RETENTION_DAYS?: string; LOG_MAX_GB?: string };
const { RETENTION_DAYS, LOG_MAX_GB } = settings;

afterEach(() => {
  vi.useRealTimers();
  settings.RETENTION_DAYS = RETENTION_DAYS ?? "7";
  if (LOG_MAX_GB === undefined) delete settings.LOG_MAX_GB;
  else settings.LOG_MAX_GB = LOG_MAX_GB;
});

async function set(eco: string, changed: Partial<typeof settings>): Promise<void> {
  Object.assign(settings, changed);
  await logOf(eco).status();
  await evict(logOf(eco));
}

const fromProducer = (first: number, count: number, more: object = {}) => ({
  producer: { name: "p", first },
  signals: Array.from({ length: count }, (_, n) => aSignal("Q_A_B", { n: first + n, ...more })),
});
const numbersOf = async (eco: string) =>
  (await allOf(eco)).filter(({ signal }) => signal === "Q_A_B").map(({ facts }) => facts.n);
const slicesOf = (eco: string) =>
  runInDurableObject(logOf(eco), (_, { storage }) => [
    ...storage.sql.exec<{ slice: number; base: string }>("SELECT slice, base FROM slices ORDER BY slice"),
  ]);

/** So much time passes without a signal: everything that the slices say of time moves into the past. */
async function pass(eco: string, ms: number): Promise<void> {
  await runInDurableObject(logOf(eco), (_, { storage }) => {
    storage.sql.exec(
      `UPDATE slices SET base = json_set(base, '$.receivedMs', json_extract(base, '$.receivedMs') - ?1,
         '$.endsMs', json_extract(base, '$.endsMs') - ?1)`,
      ms,
    );
    for (const { slice } of storage.sql.exec<{ slice: number }>("SELECT slice FROM slices"))
      storage.sql.exec(`UPDATE segments_${slice} SET received_ms = received_ms - ?`, ms);
    const pages = [...storage.sql.exec<{ page: number; body: string }>("SELECT page, body FROM producers")];
    for (const { page, body } of pages) {
      const entries = (JSON.parse(body) as [string, number, number][]).map(([name, last, at]) => [name, last, at - ms]);
      storage.sql.exec("UPDATE producers SET body = ? WHERE page = ?", JSON.stringify(entries), page);
    }
  });
  await evict(logOf(eco));
}

/** The slice as an earlier version stored it: its number is a time in units of a 28th of the retention, and it has no end. */
async function asEarlierVersionsStored(eco: string, retentionDays: number): Promise<void> {
  await runInDurableObject(logOf(eco), (_, { storage }) => {
    const { slice, base } = storage.sql.exec<{ slice: number; base: string }>("SELECT slice, base FROM slices").one();
    const { endsMs, bytes, droppedForSize, ...earlier } = JSON.parse(base) as Record<string, unknown>;
    const number = Math.floor(Date.now() / ((retentionDays * DAY_MS) / 28));
    storage.sql.exec(
      `ALTER TABLE segments_${slice} RENAME TO segments_${number}; ALTER TABLE zones_${slice} RENAME TO zones_${number}`,
    );
    storage.sql.exec("UPDATE slices SET slice = ?, base = ?", number, JSON.stringify(earlier));
  });
  await evict(logOf(eco));
}

describe("the retention of a log", () => {
  test("drops what is older, and keeps counting", async () => {
    const eco = "retention-old";
    await logOf(eco).append(fromProducer(1, 2));
    await pass(eco, DAY_MS);
    await logOf(eco).append(fromProducer(3, 1));
    await pass(eco, 6.5 * DAY_MS);
    expect(await logOf(eco).append(fromProducer(1, 4))).toMatchObject({ accepted: 1, duplicates: 3, first_seq: 4 });
    expect(await numbersOf(eco)).toEqual([3, 4]);
    await pass(eco, 20 * DAY_MS);
    expect(await logOf(eco).append(fromProducer(5, 1))).toMatchObject({ accepted: 1, first_seq: 5 });
    expect(await numbersOf(eco)).toEqual([5]);
  });

  test("drops it too when nothing more comes, and knows all the same where it was", async () => {
    const eco = "retention-quiet";
    await logOf(eco).append(fromProducer(1, 2));
    await pass(eco, 20 * DAY_MS);
    await logOf(eco).retain();
    expect(await allOf(eco)).toEqual([]);
    const rows = (await logOf(eco).usage()).rows_written;
    await logOf(eco).retain();
    expect((await logOf(eco).usage()).rows_written).toBe(rows);
    await evict(logOf(eco));
    expect(await logOf(eco).append(fromProducer(3, 1))).toMatchObject({ accepted: 1, first_seq: 3 });
  });

  test("forgets producers that were silent for as long", async () => {
    const eco = "retention-producers";
    await logOf(eco).append(fromProducer(1, 2));
    await logOf(eco).append({ producer: { name: "other", first: 1 }, signals: [aSignal("Q_A_B", {})] });
    await pass(eco, 4 * DAY_MS);
    await logOf(eco).append(fromProducer(3, 1));
    await pass(eco, 4 * DAY_MS);
    await logOf(eco).append(fromProducer(4, 1));
    expect((await logOf(eco).producers(undefined, "", 10)).map(({ producer }) => producer)).toEqual(["p"]);
  });

  test.each([
    ["7", "3"],
    ["7", "0.5"],
    ["3", "14"],
    ["14", "7"],
    ["7", "36500"],
  ])(
    "set from %s to %s days keeps everything that is younger than both, and goes on dropping",
    async (before, after) => {
      const eco = `retention-${before}-${after}`;
      await set(eco, { RETENTION_DAYS: before });
      const [shorter, longer] = [Number(before), Number(after)].toSorted((a, b) => a - b) as [number, number];
      await logOf(eco).append(fromProducer(1, 1));
      await pass(eco, shorter * 0.5 * DAY_MS);
      await logOf(eco).append(fromProducer(2, 1));
      await set(eco, { RETENTION_DAYS: after });
      await logOf(eco).append(fromProducer(3, 1));
      expect(await numbersOf(eco)).toEqual([1, 2, 3]);
      await pass(eco, shorter * 0.4 * DAY_MS);
      await logOf(eco).append(fromProducer(4, 1));
      expect(await numbersOf(eco)).toEqual([1, 2, 3, 4]);
      await pass(eco, longer * 1.2 * DAY_MS);
      await logOf(eco).append(fromProducer(5, 1));
      expect(await numbersOf(eco)).toEqual([5]);
    },
  );

  test.each(["3", "14"])("set to %s days keeps the minutes-old log of an earlier version", async (after) => {
    const eco = `retention-earlier-${after}`;
    await logOf(eco).append(fromProducer(1, 2));
    await asEarlierVersionsStored(eco, 7);
    await set(eco, { RETENTION_DAYS: after });
    expect(await logOf(eco).append(fromProducer(1, 3))).toMatchObject({ accepted: 1, duplicates: 2, first_seq: 3 });
    expect(await numbersOf(eco)).toEqual([1, 2, 3]);
    await pass(eco, 15 * DAY_MS);
    await logOf(eco).append(fromProducer(4, 1));
    expect(await numbersOf(eco)).toEqual([4]);
  });

  test("that is no number is the default, so the log is neither kept for ever nor lost", async () => {
    const eco = "retention-nonsense";
    await set(eco, { RETENTION_DAYS: "a week", LOG_MAX_GB: "-1" });
    await logOf(eco).append(fromProducer(1, 1));
    await pass(eco, 6 * DAY_MS);
    await logOf(eco).append(fromProducer(2, 1));
    expect(await numbersOf(eco)).toEqual([1, 2]);
    expect(await logOf(eco).status()).toMatchObject({ limit_bytes: 8e9 });
    await pass(eco, 8 * DAY_MS);
    await logOf(eco).append(fromProducer(3, 1));
    expect(await numbersOf(eco)).toEqual([3]);
  });

  test("ends a slice after a clock that was far ahead is right again, and still drops what is old", async () => {
    const eco = "retention-clock";
    await logOf(eco).append(fromProducer(1, 1));
    await pass(eco, -5 * DAY_MS);
    await logOf(eco).append(fromProducer(2, 1));
    expect(await slicesOf(eco)).toHaveLength(2);
    await pass(eco, 8 * DAY_MS);
    await logOf(eco).append(fromProducer(3, 1));
    expect(await numbersOf(eco)).toEqual([3]);
  });
});

describe("a log that grows beyond its size", () => {
  test("drops its oldest signals, and says how many in its status and in a signal", async () => {
    const eco = "retention-size";
    await set(eco, { LOG_MAX_GB: "0.004" });
    const pad = "x".repeat(20_000);
    for (let batch = 0; batch < 60; batch++) await logOf(eco).append(fromProducer(batch * 10 + 1, 10, { pad }));
    const status = await logOf(eco).status();
    expect(status.database_bytes).toBeLessThan(4_600_000);
    expect(status).toMatchObject({ limit_bytes: 4_000_000 });
    const log = await allOf(eco);
    const kept = log.filter(({ signal }) => signal === "Q_A_B").map(({ facts }) => Number(facts.n));
    expect(kept.at(-1)).toBe(600);
    expect(kept).toEqual(Array.from({ length: kept.length }, (_, n) => 601 - kept.length + n));
    const told = log.filter(({ signal }) => signal === "Q_LOG_TRUNCATED");
    expect(told.at(-1)).toMatchObject({
      source: "ganglion/log",
      facts: { dropped_in_all: status.dropped_for_size, limit_bytes: 4_000_000 },
    });
    expect(status.dropped_for_size).toBe((status.oldest_seq ?? 0) - 1);
    await evict(logOf(eco));
    expect(await logOf(eco).status()).toMatchObject({ dropped_for_size: status.dropped_for_size });
    expect(await logOf(eco).append(fromProducer(600, 2))).toMatchObject({ accepted: 1, duplicates: 1 });
  });

  test("ends a slice by its size after the object was evicted between any two appends", async () => {
    const eco = "retention-size-evicted";
    await set(eco, { LOG_MAX_GB: "0.004" });
    const pad = "x".repeat(20_000);
    for (let batch = 0; batch < 40; batch++) {
      await logOf(eco).append(fromProducer(batch * 10 + 1, 10, { pad }));
      await evict(logOf(eco));
    }
    expect((await logOf(eco).status()).database_bytes).toBeLessThan(4_600_000);
    expect((await slicesOf(eco)).length).toBeGreaterThan(5);
  });
});
