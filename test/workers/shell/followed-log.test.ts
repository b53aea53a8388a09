import { createMessageBatch, evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, test } from "vitest";
import { consume } from "../../../src/workers/consumer.ts";
import { allOf, anObservation, aSignal, logOf, observationsOf, policyOf } from "../log-under-test.ts";

const promotions = (count: number) => aSignal("Q_PROMOTIONS_DETECTED", { promotion_count: count });
const headOf = async (eco: string) => (await logOf(eco).status()).head_seq;
const dreamsOf = async (eco: string) => (await allOf(eco)).filter(({ signal }) => signal === "Q_DREAM_TRIGGER").length;
const dreamed = (eco: string, dreams: number) => expect.poll(() => dreamsOf(eco)).toBe(dreams);
const sizeOf = async (eco: string) => (await observationsOf(eco).observations({ seconds: 300, limit: 100 })).size;

/** The log as a backup has it: everything after `seq` is gone. */
async function setBack(eco: string, seq: number): Promise<void> {
  await runInDurableObject(logOf(eco), (_, { storage }) => {
    for (const { slice } of [...storage.sql.exec<{ slice: number }>("SELECT slice FROM slices")])
      storage.sql.exec(`DELETE FROM segments_${slice} WHERE last_seq > ?`, seq);
  });
  await evictDurableObject(logOf(eco));
}

/** The log's storage is lost as a whole. */
async function lose(eco: string): Promise<void> {
  await runInDurableObject(logOf(eco), async (_, { storage }) => {
    await storage.deleteAlarm();
    await storage.deleteAll();
  });
  await evictDurableObject(logOf(eco));
}

/** What the minute's round does for each ecosystem that was active lately. */
const nudge = (eco: string) => logOf(eco).nudge();

describe("a projection whose log was set back", () => {
  test("decides on what comes next, though its cursor had been further, and a signal says so", async () => {
    const eco = "set-back";
    await logOf(eco).append({ signals: [aSignal("Q_DREAM_COMPLETE", {})] });
    const kept = await headOf(eco);
    await logOf(eco).append({ signals: [promotions(1)] });
    await dreamed(eco, 1);
    await logOf(eco).append({ signals: Array.from({ length: 20 }, () => aSignal("Q_DREAM_COMPLETE", {})) });
    await nudge(eco);
    await setBack(eco, kept);
    await nudge(eco);
    await runDurableObjectAlarm(policyOf(eco));
    await expect.poll(async () => (await allOf(eco)).map(({ signal }) => signal)).toContain("Q_LOG_SET_BACK");
    const told = (await allOf(eco)).filter(({ signal }) => signal === "Q_LOG_SET_BACK");
    expect(told.map(({ facts }) => facts)).toContainEqual(
      expect.objectContaining({ projection: "policy", head_seq: kept, replaced: false }),
    );
    expect(await dreamsOf(eco)).toBe(0);
    await logOf(eco).append({ signals: [promotions(2)] });
    await dreamed(eco, 1);
    const { decisions } = await policyOf(eco).decisions({ limit: 10 });
    expect(decisions[0]).toMatchObject({ rule: "promotions-to-dream", outcome: "fired" });
  });

  test("has what the log has, and nothing of what is gone", async () => {
    const eco = "set-back-window";
    await logOf(eco).append({ signals: [anObservation("r", { cpu_percent: 1 })] });
    await logOf(eco).append({ signals: Array.from({ length: 4 }, () => anObservation("r", { cpu_percent: 2 })) });
    await nudge(eco);
    expect(await sizeOf(eco)).toBe(5);
    await setBack(eco, 1);
    await nudge(eco);
    expect(await sizeOf(eco)).toBe(1);
    await logOf(eco).append({ signals: [anObservation("r", { cpu_percent: 3 })] });
    await nudge(eco);
    expect(await sizeOf(eco)).toBe(2);
  });
});

describe("a projection whose log was lost", () => {
  test("follows the one that begins in its place, from its first signal on", async () => {
    const eco = "lost-log";
    await logOf(eco).append({ signals: [promotions(1)] });
    await dreamed(eco, 1);
    for (let n = 0; n < 5; n++) await logOf(eco).append({ signals: [aSignal("Q_DREAM_COMPLETE", {}), promotions(1)] });
    await dreamed(eco, 6);
    await nudge(eco);
    await lose(eco);
    await logOf(eco).append({ signals: [promotions(1)] });
    await dreamed(eco, 1);
    const told = (await allOf(eco)).filter(({ signal }) => signal === "Q_LOG_SET_BACK");
    expect(told.map(({ facts }) => facts)).toContainEqual(
      expect.objectContaining({ projection: "policy", head_seq: 0, replaced: true }),
    );
  });
});

describe("a message of another deployment's log", () => {
  const message = (body: string) => ({ id: crypto.randomUUID(), timestamp: new Date(), attempts: 1, body });
  const from = (log: string, eco: string, after: number, line: object) =>
    message(
      [
        JSON.stringify({
          ecosystem: eco,
          log,
          parts: [{ projection: "observations", after, through: after + 1, lines: 1 }],
        }),
        JSON.stringify(line),
      ].join("\n"),
    );

  test("is refused and counted, and what the own log sends is taken", async () => {
    const eco = "foreign-message";
    await logOf(eco).append({ signals: [anObservation("r", { cpu_percent: 1 })] });
    await nudge(eco);
    const [signal] = await allOf(eco);
    const forged = { ...signal, seq: 2, facts: { zooid: "intruder", cpu_percent: 99 } };
    await consume(createMessageBatch("ganglion-signals", [from("0ther0", eco, 1, forged)]), env);
    expect(await sizeOf(eco)).toBe(1);
    expect(await observationsOf(eco).place()).toMatchObject({ cursor: 1, foreign_messages: 1 });
    await logOf(eco).append({ signals: [anObservation("r", { cpu_percent: 2 })] });
    await nudge(eco);
    const { observations } = await observationsOf(eco).observations({ seconds: 300, limit: 10 });
    expect(observations.map(({ facts }) => facts.zooid)).toEqual(["r", "r"]);
  });

  test("does not make an ecosystem that only the other deployment has", async () => {
    const eco = "foreign-ecosystem";
    const line = { seq: 1, id: "s1.x", signal: "OBSERVATION", source: "x", facts: { zooid: "intruder" } };
    await consume(createMessageBatch("ganglion-signals", [from("0ther0", eco, 0, line)]), env);
    expect(await sizeOf(eco)).toBe(0);
    expect(await allOf(eco)).toEqual([]);
  });
});

describe("the cost of following", () => {
  test("is no row where nothing of the log is for the projection", async () => {
    const eco = "passed-over";
    await logOf(eco).append({ signals: [promotions(1)] });
    await dreamed(eco, 1);
    await nudge(eco);
    const rows = async () => (await policyOf(eco).usage()).rows_written;
    const before = await rows();
    for (let n = 0; n < 10; n++) {
      await logOf(eco).append({ signals: [aSignal("X_UNWATCHED", { n })] });
      await nudge(eco);
    }
    expect(await rows()).toBe(before);
    expect(await policyOf(eco).place()).toMatchObject({ cursor: await headOf(eco) });
  });

  test("is no call of a projection that an alarm has nothing for", async () => {
    const eco = "alarm-for-one";
    await logOf(eco).append({ signals: [anObservation("r", { cpu_percent: 1 })] });
    await runDurableObjectAlarm(logOf(eco));
    const calls = async () => (await policyOf(eco).usage()).requests;
    const before = await calls();
    await logOf(eco).append({ signals: [anObservation("r", { cpu_percent: 2 })] });
    await runDurableObjectAlarm(logOf(eco));
    // The question itself is a call.
    expect((await calls()) - before).toBe(1);
  });
});
