import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import type { UsageMeter } from "../../../src/core/billing/usage.ts";
import type { AlarmClock } from "../../../src/durable-objects/shell/alarm-clock.ts";
import { ObjectName } from "../../../src/durable-objects/shell/object-name.ts";
import { freshEcosystem } from "../api/calls.ts";

const HOUR_MS = 3_600_000;

const WOKEN_BY_ALARMS = {
  SIGNAL_LOG: env.SIGNAL_LOG,
  OBSERVATION_CACHE: env.OBSERVATION_CACHE,
  POLICY_STATE: env.POLICY_STATE,
  DEAD_LETTERS: env.DEAD_LETTERS,
  PRIORITY_QUEUE: env.PRIORITY_QUEUE,
  WEBHOOKS: env.WEBHOOKS,
  AGENT_REGISTRY: env.AGENT_REGISTRY,
  WORKER_BOARD: env.WORKER_BOARD,
};
type Stub = DurableObjectStub;

/** What every object gets from the shell. */
interface Shell {
  readonly alarms: AlarmClock;
  readonly meter: UsageMeter;
  transaction(change: () => void, reload: () => void): void;
}

function inside<Result>(stub: unknown, work: (shell: Shell) => Result): Promise<Result> {
  return runInDurableObject(stub as Stub, (instance) => work(instance as unknown as Shell));
}

function objectOf(namespace: unknown, name: string) {
  const objects = namespace as DurableObjectNamespace;
  const id = objects.idFromName(name);
  const stub = objects.get(id);
  return {
    stub,
    /** The name under which the object would act at a wake by an id without a name: one that is read from its text. */
    namelessly: () =>
      runInDurableObject(
        stub,
        (_, { storage }) => new ObjectName(objects.idFromString(id.toString()), storage.sql).value,
      ),
  };
}

const setAlarm = (stub: Stub) => inside(stub, ({ alarms }) => alarms.wakeBy(Date.now() + HOUR_MS));

describe("an object that is woken without its name", () => {
  it.each(Object.entries(WOKEN_BY_ALARMS))(
    "of %s knows the name after it has set an alarm",
    async (binding, objects) => {
      const ecosystem = freshEcosystem();
      const name = binding === "PRIORITY_QUEUE" ? `${ecosystem}/work` : ecosystem;
      const { stub, namelessly } = objectOf(objects, name);
      await setAlarm(stub);
      await evictDurableObject(stub);
      expect(await namelessly()).toBe(name);
    },
  );

  it.each([
    ["SIGNAL_LOG", env.SIGNAL_LOG, "/link?host=h", ""],
    ["PRIORITY_QUEUE", env.PRIORITY_QUEUE, "/work?worker=w", "/work"],
  ])("of %s knows the name after it has accepted a socket", async (_, objects, path, queue) => {
    const name = freshEcosystem() + queue;
    const { stub, namelessly } = objectOf(objects, name);
    const { webSocket } = await stub.fetch(`https://object${path}`, { headers: { Upgrade: "websocket" } });
    webSocket?.accept();
    await evictDurableObject(stub);
    expect(await namelessly()).toBe(name);
  });

  it("knows the name after a transaction failed that had set the first alarm", async () => {
    const name = freshEcosystem();
    const { stub, namelessly } = objectOf(env.DEAD_LETTERS, name);
    await inside(stub, ({ alarms, transaction }) => {
      const change = () => {
        alarms.wakeBy(Date.now() + HOUR_MS);
        throw new Error("as asked");
      };
      expect(() => transaction(change, () => undefined)).toThrow("as asked");
      alarms.wakeBy(Date.now() + HOUR_MS);
    });
    await evictDurableObject(stub);
    expect(await namelessly()).toBe(name);
  });

  it("does not store the guessed name where the name is unknown", async () => {
    const { stub, namelessly } = objectOf(env.WEBHOOKS, freshEcosystem());
    expect(await namelessly()).toBe("default");
    await runInDurableObject(stub, (_, { id, storage }) => {
      const nameless = { toString: () => id.toString(), equals: (other: DurableObjectId) => id.equals(other) };
      new ObjectName(nameless, storage.sql).store();
      expect([...storage.sql.exec("SELECT value FROM notes")]).toEqual([]);
    });
  });
});

describe("the stored name of an object", () => {
  it("is one row in the life of the object, however often it sleeps and sets alarms", async () => {
    const { stub } = objectOf(env.DEAD_LETTERS, freshEcosystem());
    await setAlarm(stub);
    for (let life = 0; life < 3; life++) {
      await evictDurableObject(stub);
      const rows = await inside(stub, ({ alarms, meter }) => {
        const before = meter.usage.rows_written;
        alarms.wakeBy(Date.now() + HOUR_MS);
        alarms.wakeBy(Date.now() + 2 * HOUR_MS);
        return meter.usage.rows_written - before;
      });
      expect(rows).toBe(0);
    }
  });

  it("is not written by an object that only answers calls", async () => {
    const { stub } = objectOf(env.WEBHOOKS, freshEcosystem());
    // The class keeps other notes in the table.
    const notes = await runInDurableObject(stub, (_, { storage }) => storage.sql.exec("SELECT * FROM notes").toArray());
    expect(notes).toEqual([]);
  });
});
