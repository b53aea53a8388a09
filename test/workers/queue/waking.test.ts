import { runInDurableObject } from "cloudflare:test";
import { describe, expect, it, vi } from "vitest";
import { recordVersion } from "../../../src/durable-objects/shell/schema.ts";
import { call, freshEcosystem, problemOf } from "../api/calls.ts";
import { crash } from "../crash.ts";
import { aTask, queueOver, queueStub } from "./queue-under-test.ts";

/** More than a waking queue reads whole. */
const MANY = 1_400;

/** A queue with many tasks for nobody, and behind them those that are given. */
async function farQueue(behind: object[], far: object = {}) {
  const ecosystem = freshEcosystem();
  const queue = queueOver(ecosystem);
  for (let from = 0; from < MANY; from += 350) {
    const tasks = Array.from({ length: 350 }, (_, place) =>
      aTask({ recipient: "nobody", task_id: `far${from + place}`, ...far }),
    );
    expect((await queue.put(tasks)).status).toBe(202);
  }
  expect((await queue.put(behind)).status).toBe(202);
  return { ecosystem, queue, stub: () => queueStub(ecosystem) };
}

const exec = (stub: DurableObjectStub, ...statements: string[]) =>
  runInDurableObject(stub, (_, { storage: { sql } }) => {
    for (const statement of statements) sql.exec(statement);
  });

describe("a queue that wakes with many tasks", () => {
  it("counts those of which it read the places alone, gives them out in order and knows their ids", async () => {
    const { queue, stub } = await farQueue([
      aTask({ task_id: "b", priority: 5 }),
      aTask({ task_id: "a", priority: 1 }),
      aTask({ task_id: "skilled", priority: 1, needs: { skills: ["python"] } }),
      aTask({ task_id: "later", delay_ms: 3_600_000 }),
    ]);
    const before = await queue.status();
    await crash(stub());
    const { by_priority, by_recipient } = before;
    expect(await queue.status()).toMatchObject({ depth: MANY + 4, by_priority, by_recipient });
    expect(await (await queue.put(aTask({ task_id: "b" }))).json()).toMatchObject({ tasks: [{ task_id: "b" }] });
    expect(await queue.task("skilled")).toMatchObject({ status: "queued", needs: { skills: ["python"] } });
    expect((await queue.act("far1399", "cancel")).status).toBe(200);
    expect((await queue.status()).depth).toBe(MANY + 3);
    const leased = await queue.lease("coder", { max: 10 });
    expect(leased.map(({ task_id }) => task_id)).toEqual(["a", "b"]);
  });

  it("has the leases of tasks far down, and ends them", async () => {
    const { queue, stub } = await farQueue([aTask({ task_id: "held" })]);
    const [held] = await queue.lease("coder");
    await crash(stub());
    expect((await queue.status()).running).toBe(1);
    expect((await queue.act("held", "complete", { lease_id: held?.lease_id })).status).toBe(200);
    expect(await queue.task("held")).toMatchObject({ status: "complete" });
  });

  it("makes a dead letter of a task far down whose row is damaged, and gives out the one behind it", async () => {
    vi.spyOn(console, "error").mockReturnValue();
    const { ecosystem, queue, stub } = await farQueue([aTask({ task_id: "broken" }), aTask({ task_id: "whole" })]);
    await exec(stub(), `UPDATE tasks SET terms = '["broken"' WHERE terms ->> '$[0]' = 'broken'`);
    await crash(stub());
    // The first attempt finds the row, and its caller is asked to try again.
    const leased = await vi.waitFor(async () => {
      const tasks = await queue.lease("coder");
      expect(tasks).toHaveLength(1);
      return tasks;
    });
    expect(leased).toMatchObject([{ task_id: "whole" }]);
    await vi.waitFor(async () => {
      const answer = (await (await call(`/v1/${ecosystem}/dead-letters`)).json()) as { dead_letters: object[] };
      expect(answer.dead_letters).toHaveLength(1);
    });
    expect((await queue.status()).depth).toBe(MANY);
  });

  it("answers who looks at a damaged task far down, or at the queue that it leads, as if the task were not there", async () => {
    vi.spyOn(console, "error").mockReturnValue();
    const { queue, stub } = await farQueue([aTask({ task_id: "broken" })], { delay_ms: 3_600_000 });
    await exec(stub(), `UPDATE tasks SET terms = '["broken"' WHERE terms ->> '$[0]' = 'broken'`);
    await crash(stub());
    expect(await queue.status()).toMatchObject({ depth: MANY + 1, oldest_age_ms: null });
    expect((await call(`${queue.base}/broken`)).status).toBe(404);
  });

  it("reads the store of an earlier release, in which no row has a place, and writes no row of it", async () => {
    const { queue, stub } = await farQueue([aTask({ task_id: "last" })]);
    await exec(stub(), "DROP VIEW schema_version", "ALTER TABLE tasks DROP COLUMN place");
    await crash(stub());
    expect((await queue.status()).depth).toBe(MANY + 1);
    const [version, places] = await runInDurableObject(stub(), (_, { storage: { sql } }) => [
      sql.exec<{ version: number }>("SELECT version FROM schema_version").one().version,
      sql.exec<{ places: number }>("SELECT count(place) AS places FROM tasks").one().places,
    ]);
    expect({ version, places }).toEqual({ version: 2, places: 0 });
    expect(await queue.lease("coder")).toMatchObject([{ task_id: "last" }]);
    expect((await queue.put(aTask({ task_id: "new" }))).status).toBe(202);
  });

  it("refuses a store that a later release wrote", async () => {
    vi.spyOn(console, "error").mockReturnValue();
    const { queue, stub } = await farQueue([aTask()]);
    await runInDurableObject(stub(), (_, { storage }) => recordVersion(storage.sql, 3));
    await crash(stub());
    const refused = await problemOf(await call(queue.base));
    expect(refused).toMatchObject({ status: 503, type: expect.stringContaining("newer-schema") });
    expect(refused.detail).toContain("was stored with schema version 3, and this release knows versions up to 2");
  });
});
