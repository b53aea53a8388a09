import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { UsageMeter } from "../../../src/core/billing/usage.ts";
import { AlarmClock } from "../../../src/durable-objects/shell/alarm-clock.ts";
import { NotedNumbers } from "../../../src/durable-objects/shell/noted-numbers.ts";
import { Notes } from "../../../src/durable-objects/shell/notes.ts";
import { Outbox } from "../../../src/durable-objects/shell/outbox.ts";
import { freshEcosystem } from "../api/calls.ts";

const HOUR_MS = 3_600_000;

/** The real storage of an object that does nothing of its own. */
function withStorage<Result>(work: (storage: DurableObjectStorage) => Promise<Result> | Result): Promise<Result> {
  const stub = env.MODELS.get(env.MODELS.idFromName(freshEcosystem()));
  return runInDurableObject(stub, (_, { storage }) => work(storage));
}

async function clockOn(storage: DurableObjectStorage) {
  const meter = new UsageMeter();
  let restored = Promise.resolve();
  const clock = new AlarmClock(storage, meter, (restore) => {
    restored = restore();
    return restored;
  });
  await restored;
  return { clock, rows: () => meter.usage.rows_written };
}

describe("the alarm of an object", () => {
  it("is set for the earliest of many wishes", async () => {
    await withStorage(async (storage) => {
      const { clock } = await clockOn(storage);
      const nowMs = Date.now();
      for (const hours of [5, 2, 9]) clock.wakeBy(nowMs + hours * HOUR_MS);
      expect(await storage.getAlarm()).toBe(nowMs + 2 * HOUR_MS);
    });
  });

  it("costs a row where it changes, and none where it is early enough", async () => {
    await withStorage(async (storage) => {
      const { clock, rows } = await clockOn(storage);
      const nowMs = Date.now();
      clock.wakeBy(nowMs + 2 * HOUR_MS);
      clock.wakeBy(nowMs + 3 * HOUR_MS);
      expect(rows()).toBe(1);
      clock.wakeBy(nowMs + HOUR_MS);
      expect(rows()).toBe(2);
    });
  });

  it("is known again after the object has slept", async () => {
    await withStorage(async (storage) => {
      const nowMs = Date.now();
      (await clockOn(storage)).clock.wakeBy(nowMs + HOUR_MS);
      const { clock, rows } = await clockOn(storage);
      clock.wakeBy(nowMs + 2 * HOUR_MS);
      expect(rows()).toBe(0);
      expect(await storage.getAlarm()).toBe(nowMs + HOUR_MS);
    });
  });

  it("is set anew by the first wish after it has fired", async () => {
    await withStorage(async (storage) => {
      const { clock } = await clockOn(storage);
      const nowMs = Date.now();
      clock.wakeBy(nowMs + HOUR_MS);
      clock.fired();
      clock.wakeBy(nowMs + 2 * HOUR_MS);
      expect(await storage.getAlarm()).toBe(nowMs + 2 * HOUR_MS);
    });
  });
});

describe("an outbox", () => {
  const draft = { signal: "A", source: "test", facts: { n: 1 }, timestampMs: 1 };
  const outboxOn = (storage: DurableObjectStorage) => {
    const numbers = new NotedNumbers(new Notes(storage.sql), (epoch) => `test.${epoch}`);
    return { numbers, outbox: new Outbox(storage.sql, numbers) };
  };

  it("goes on with its numbers after the object has slept", async () => {
    await withStorage((storage) => {
      const before = outboxOn(storage);
      const first = before.outbox.emit(draft);
      before.numbers.write();
      const after = outboxOn(storage);
      expect([first, after.outbox.emit(draft)]).toEqual([`${before.outbox.producer}.1`, `${before.outbox.producer}.2`]);
    });
  });

  it("gives a number again that a transaction took and did not keep", async () => {
    await withStorage((storage) => {
      const { numbers, outbox } = outboxOn(storage);
      outbox.emit(draft);
      numbers.write();
      expect(() =>
        storage.transactionSync(() => {
          outbox.emit(draft);
          throw new Error("as asked");
        }),
      ).toThrow("as asked");
      numbers.reload();
      expect(outbox.emit(draft)).toBe(`${outbox.producer}.2`);
      expect(outbox.nextSignals()?.signals).toHaveLength(2);
    });
  });

  it("hands out no signal behind a hole in the numbers", async () => {
    await withStorage((storage) => {
      const { outbox } = outboxOn(storage);
      for (let n = 0; n < 3; n++) outbox.emit(draft);
      storage.sql.exec("DELETE FROM outgoing WHERE number = 2");
      expect(outbox.nextSignals()).toMatchObject({ first: 1, signals: [{ signal: "A" }] });
    });
  });

  it("is empty when the receivers have everything", async () => {
    await withStorage((storage) => {
      const { outbox } = outboxOn(storage);
      outbox.emit(draft);
      outbox.deadLetter({ id: "d", kind: "signal", error: "e", daemon: "test" });
      outbox.forgetSignals(1);
      expect(outbox.empty).toBe(false);
      outbox.forgetDeadLetters(outbox.nextDeadLetters()[0]?.number ?? 0);
      expect(outbox.empty).toBe(true);
    });
  });
});
