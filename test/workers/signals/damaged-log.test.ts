import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, describe, expect, test } from "vitest";
import { ZONE_SEGMENTS } from "../../../src/core/signals/log/zone.ts";
import type { Signal } from "../../../src/core/signals/signal.ts";
import { call, freshEcosystem, post } from "../api/calls.ts";
import { evict } from "../evict.ts";
import { allOf, aSignal, logOf } from "../log-under-test.ts";
import { patience } from "../patience.ts";

const directory = () => env.DIRECTORY.get(env.DIRECTORY.idFromName("directory"));

afterEach(async () => {
  for (const store of await directory().damagedStores()) await directory().forgetDamage(store);
});

/** Damages the stored log, and has it start again. */
async function damage(eco: string, ...statements: readonly string[]): Promise<void> {
  await runInDurableObject(logOf(eco), (_, { storage }) => {
    for (const statement of statements) storage.sql.exec(statement);
  });
  await evict(logOf(eco));
}

const emit = (eco: string, name: string, more: object = {}) =>
  post(`/v1/${eco}/signals`, { signal: name, source: "t", facts: {}, ...more });

/** A batch of a host's producer: one segment. */
const batch = (eco: string, first: number, names: readonly string[]) =>
  logOf(eco).append({
    producer: { name: "h.0a1b2c.bus", first, remote: true },
    owner: "h",
    signals: names.map((name) => aSignal(name, {})),
  });

const named = (signals: readonly Signal[]) =>
  signals.map(({ signal }) => signal).filter((name) => !name.startsWith("Q_LOG"));

const told = async (eco: string) => (await allOf(eco)).filter(({ signal }) => signal === "Q_LOG_DAMAGED");

const COLUMNS = [
  ["names", "'garbage'"],
  ["names", "'[1,null]'"],
  ["producers", "'{'"],
  ["producers", "'[1]'"],
  ["ids", "'[[]]'"],
  ["ids", "x'00ff'"],
  ["received_ms", "'soon'"],
  ["first_ts", "x'00'"],
  ["last_seq", "'x'"],
  ["last_seq", "-1"],
] as const;

describe("a log with a damaged header", () => {
  test.each(COLUMNS)(
    "goes on, and reads what the header is about from its signals: %s = %s",
    async (column, garbage) => {
      const eco = freshEcosystem();
      await batch(eco, 1, ["Q_ONE", "Q_TWO"]);
      await batch(eco, 3, ["Q_THREE"]);
      await damage(eco, `UPDATE segments_1 SET ${column} = ${garbage} WHERE first_seq = 1`);
      expect((await emit(eco, "Q_FOUR")).status).toBe(202);
      expect(named(await allOf(eco))).toEqual(["Q_ONE", "Q_TWO", "Q_THREE", "Q_FOUR"]);
      expect((await logOf(eco).status()).damaged).toMatchObject({ rows: 1, first: [{ part: "header", place: 1 }] });
      await expect
        .poll(() => told(eco), patience)
        .toMatchObject([{ source: "ganglion/log", facts: { damaged_rows: 1, first: [{ part: "header", place: 1 }] } }]);
    },
  );

  test("takes no number of a known producer twice", async () => {
    const eco = freshEcosystem();
    await batch(eco, 1, ["Q_ONE"]);
    // A closed zone has the producer in its page.
    for (let n = 2; n <= ZONE_SEGMENTS; n++) await batch(eco, n, ["Q_MORE"]);
    await batch(eco, ZONE_SEGMENTS + 1, ["Q_LAST"]);
    await damage(eco, `UPDATE segments_1 SET producers = '{' WHERE first_seq = ${ZONE_SEGMENTS + 1}`);
    expect(await batch(eco, ZONE_SEGMENTS + 1, ["Q_LAST"])).toMatchObject({ accepted: 0, duplicates: 1 });
  });

  test("gives no sequence number out twice where the signals are damaged too", async () => {
    const eco = freshEcosystem();
    await emit(eco, "Q_ONE");
    await damage(eco, "UPDATE segments_1 SET last_seq = 'x', names = '{', body = 'garbage'");
    expect((await emit(eco, "Q_TWO")).status).toBe(202);
    expect(named(await allOf(eco))).toEqual(["Q_TWO"]);
    expect((await logOf(eco).status()).damaged?.first.map(({ part }) => part).sort()).toEqual(["body", "header"]);
  });

  test("is named by the readiness of the deployment", async () => {
    const eco = freshEcosystem();
    await emit(eco, "Q_ONE");
    await damage(eco, "UPDATE segments_1 SET names = '{'");
    await emit(eco, "Q_TWO");
    await expect.poll(async () => (await call("/readyz", { token: null })).status, { timeout: 8_000 }).toBe(503);
    expect(await (await call("/readyz", { token: null })).text()).toContain(`SignalLog of ${eco}`);
    await runInDurableObject(logOf(eco), (_, { storage }) => {
      storage.sql.exec("UPDATE segments_1 SET names = '[\"Q_ONE\"]' WHERE first_seq = 1");
      storage.sql.exec("DELETE FROM damaged");
    });
    await evict(logOf(eco));
  });

  test("tells of it once, also after it starts again", async () => {
    const eco = freshEcosystem();
    await emit(eco, "Q_ONE");
    await damage(eco, "UPDATE segments_1 SET names = '{'");
    await expect.poll(async () => (await told(eco)).length, patience).toBe(1);
    await evict(logOf(eco));
    await emit(eco, "Q_TWO");
    expect(await told(eco)).toHaveLength(1);
    expect((await logOf(eco).status()).damaged?.rows).toBe(1);
  });
});

describe("a log with a damaged body", () => {
  test("leaves out the signals that cannot be read, and sends no broken frame", async () => {
    const eco = freshEcosystem();
    await batch(eco, 1, ["Q_ONE", "Q_TWO", "Q_THREE"]);
    await damage(eco, `UPDATE segments_1 SET body = replace(body, '{"seq":2,', 'xx')`);
    expect(named(await allOf(eco))).toEqual(["Q_ONE", "Q_THREE"]);
    expect((await call(`/v1/${eco}/signals?order=desc`)).status).toBe(200);
    expect((await logOf(eco).status()).damaged).toMatchObject({ rows: 1, first: [{ part: "body", place: 1 }] });
  });
});

describe("a log with a damaged zone, page of producers or slice", () => {
  /** A zone, and one segment behind it. */
  async function zoned(): Promise<string> {
    const eco = freshEcosystem();
    for (let n = 1; n <= ZONE_SEGMENTS; n++) await batch(eco, n, [n === 7 ? "Q_SEVEN" : "Q_MORE"]);
    await batch(eco, ZONE_SEGMENTS + 1, ["Q_BEHIND"]);
    return eco;
  }

  test.each([
    ["zone", "UPDATE zones_1 SET body = 'garbage'", 1],
    ["producers", "UPDATE producers SET body = '['", 0],
    ["producers", `UPDATE producers SET body = '[[1,"x"]]'`, 0],
    ["slice", "UPDATE slices SET base = 'garbage'", 1],
  ])("finds signals and knows its producers: %s, %s", async (part, statement, place) => {
    const eco = await zoned();
    await damage(eco, statement);
    const next = ZONE_SEGMENTS + 2;
    expect(await batch(eco, next - 1, ["Q_BEHIND"])).toMatchObject({ accepted: 0, duplicates: 1 });
    expect(await batch(eco, 3, ["Q_MORE"])).toMatchObject({ accepted: 0, duplicates: 1 });
    expect(await batch(eco, next, ["Q_NEXT"])).toMatchObject({ first_seq: expect.any(Number), accepted: 1 });
    const page = await logOf(eco).read({ signals: ["Q_SEVEN", "Q_NEXT"], limit: 9, order: "desc" });
    expect(page.lines.map((line) => (JSON.parse(line) as Signal).seq)).toEqual([expect.any(Number), 7]);
    expect((await call(`/v1/${eco}/signals/h.0a1b2c.bus.7`)).status).toBe(200);
    expect((await logOf(eco).status()).damaged).toMatchObject({ rows: 1, first: [{ part, place }] });
    await expect.poll(async () => (await told(eco)).length, patience).toBe(1);
  });

  test("sums a zone up again of which it is not known where it ends", async () => {
    const eco = await zoned();
    await damage(eco, "UPDATE zones_1 SET body = '{}', last_seq = 'x'");
    expect(await batch(eco, ZONE_SEGMENTS + 1, ["Q_BEHIND"])).toMatchObject({ accepted: 0, duplicates: 1 });
    await emit(eco, "Q_NEXT");
    const page = await logOf(eco).read({ signals: ["Q_SEVEN", "Q_NEXT"], limit: 9, order: "asc" });
    expect(page.lines.map((line) => (JSON.parse(line) as Signal).signal)).toEqual(["Q_SEVEN", "Q_NEXT"]);
    expect((await logOf(eco).status()).damaged).toBeUndefined();
    await expect.poll(async () => (await told(eco)).length, patience).toBe(1);
  });

  test("is the same log for its projections after its slice was damaged", async () => {
    const eco = freshEcosystem();
    await emit(eco, "Q_ONE");
    const { epoch } = await logOf(eco).reached();
    await damage(eco, "UPDATE slices SET base = '{'");
    expect((await logOf(eco).reached()).epoch).toBe(epoch);
    await evict(logOf(eco));
    expect((await logOf(eco).reached()).epoch).toBe(epoch);
  });

  test("writes a page of producers anew with the next zone", async () => {
    const eco = await zoned();
    await damage(eco, "UPDATE producers SET body = '['");
    for (let n = 0; n < ZONE_SEGMENTS; n++) await batch(eco, ZONE_SEGMENTS + 2 + n, ["Q_MORE"]);
    expect((await logOf(eco).status()).damaged).toBeUndefined();
    await evict(logOf(eco));
    expect(await batch(eco, ZONE_SEGMENTS + 2, ["Q_MORE"])).toMatchObject({ duplicates: 1 });
  });
});
