import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it, vi } from "vitest";
import { UsageMeter } from "../../../src/core/billing/usage.ts";
import { DAY_MS, dayOf } from "../../../src/core/billing/usage-days.ts";
import { UsageStore } from "../../../src/durable-objects/shell/usage-store.ts";
import { ecosystemObjects } from "../../../src/workers/bindings/ecosystem-objects.ts";
import * as worker from "../../../src/workers/index.ts";
import { call, freshEcosystem, post } from "../api/calls.ts";
import { aSignal, logOf } from "../log-under-test.ts";

const today = () => dayOf(Date.now());
const rowsOf = (stub: DurableObjectStub) =>
  runInDurableObject(stub, (_, { storage }) => {
    const { sql } = storage;
    const there = sql.exec("SELECT 1 FROM sqlite_master WHERE name = 'usage_days'").toArray().length > 0;
    return there ? sql.exec<{ written_ms: number }>("SELECT written_ms FROM usage_days").toArray() : [];
  });
const stored = (stub: DurableObjectStub) => expect.poll(async () => (await rowsOf(stub)).length).toBe(1);
const usedToday = async (eco: string) => (await logOf(eco).usageByDay(today())).days.find(({ day }) => day === today());

describe("what an object has used by day", () => {
  it("outlives the object, which counts anew since it woke", async () => {
    const eco = freshEcosystem();
    const log = logOf(eco);
    await Promise.all(Array.from({ length: 20 }, (_, n) => log.append({ signals: [aSignal("A", { n })] })));
    await stored(log);
    await evictDurableObject(log);
    const { awake } = await log.usageByDay(today());
    expect(awake).toMatchObject({ requests: 1 });
    const day = await usedToday(eco);
    // What came after the row was written is lost: the object was put out of memory.
    expect(day?.usage.requests).toBeGreaterThan(1);
    expect(day?.usage.rows_written).toBeGreaterThan(1);
    expect(day?.usage.open_ms).toBeGreaterThan(0);
  });

  it("costs one row for everything that comes within a while", async () => {
    const eco = freshEcosystem();
    const log = logOf(eco);
    await log.append({ signals: [aSignal("A", {})] });
    await stored(log);
    const [before] = await rowsOf(log);
    for (let n = 0; n < 50; n++) await log.append({ signals: [aSignal("A", { n })] });
    expect(await rowsOf(log)).toEqual([before]);
    // What is not on the disk yet is counted all the same.
    expect((await usedToday(eco))?.usage.rows_written).toBeGreaterThan(50);
  });

  it("is no part of an export, and leaves an object empty for an import", async () => {
    const eco = freshEcosystem();
    await logOf(eco).append({ signals: [aSignal("A", {})] });
    await stored(logOf(eco));
    const { lines } = (await (await call(`/v1/${eco}/export`)).json()) as { lines: string[] };
    expect(lines.join("\n")).toContain("segments_1");
    expect(lines.join("\n")).not.toContain("usage_days");
    const other = freshEcosystem();
    const models = env.MODELS.get(env.MODELS.idFromName(other));
    await models.settings();
    await models.ask({ id: "q", model: "none", prompt: "p", timeoutMs: 1_000, choices: [] });
    expect(await models.transfer({ do: "look" })).toEqual({ empty: true });
  });

  it("covers every class of objects but the directory, the queues and the relays, which are counted beside them", () => {
    const beside = ["default", "Directory", "PriorityQueue", "LinkRelay"];
    const classes = Object.keys(worker).filter((name) => !beside.includes(name));
    expect(Object.keys(ecosystemObjects(env, "a")).sort()).toEqual(classes.sort());
  });
});

describe("the counts of an object that has deleted everything", () => {
  it("are not written: the object stays empty", async () => {
    const stub = env.MODELS.get(env.MODELS.idFromName(freshEcosystem()));
    await runInDurableObject(stub, async (_, { storage }) => {
      const tables = () => storage.sql.exec("SELECT name FROM sqlite_master WHERE name NOT GLOB '_cf_*'").toArray();
      const meter = new UsageMeter();
      const store = new UsageStore({ storage, meter, alarmMs: () => undefined, suspended: () => false });
      store.began();
      meter.add({ rows_written: 5 });
      store.write(Date.now());
      expect(tables()).toContainEqual({ name: "usage_days" });
      expect(store.holdsSomething).toBe(true);
      await storage.deleteAll();
      store.emptied();
      expect(store.holdsSomething).toBe(false);
      store.write(Date.now());
      expect(tables()).toEqual([]);
    });
  });

  it("go to the day on which they were counted", async () => {
    const stub = env.MODELS.get(env.MODELS.idFromName(freshEcosystem()));
    await runInDurableObject(stub, (_, { storage }) => {
      const meter = new UsageMeter();
      const store = new UsageStore({ storage, meter, alarmMs: () => undefined, suspended: () => false });
      const tomorrowMs = Date.now() + DAY_MS;
      store.began();
      meter.add({ rows_read: 5 });
      store.write(Date.now());
      meter.add({ rows_read: 2 });
      vi.setSystemTime(tomorrowMs);
      try {
        store.began();
        meter.add({ rows_read: 10 });
        const { days } = store.usage("2000-01-01");
        expect(days.map(({ day, usage }) => [day, usage.rows_read])).toEqual([
          [dayOf(tomorrowMs - DAY_MS), 7],
          [dayOf(tomorrowMs), 10],
        ]);
      } finally {
        vi.useRealTimers();
      }
    });
  });
});

describe("requests of the Worker", () => {
  it("reach the directory with the next token that it is asked about, by ecosystem", async () => {
    const eco = freshEcosystem();
    const made = await post("/v1/tokens", { name: "counted", scopes: ["signals:read"], ecosystems: [eco] });
    const { token } = (await made.json()) as { token: string };
    for (let n = 0; n < 3; n++) await call(`/v1/${eco}/signals`);
    await call(`/v1/${eco}/signals`, { token });
    const { month } = (await (await call(`/v1/${eco}/usage`)).json()) as {
      month: { lines: Record<string, { used: number }> };
    };
    expect(month.lines.worker_requests?.used).toBeGreaterThanOrEqual(3);
    expect(month.lines.worker_cpu?.used).toBeGreaterThan(0);
  });
});
