import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, test, vi } from "vitest";
import { openSchema, recordVersion, type SchemaStep } from "../../../src/durable-objects/shell/schema.ts";
import { call, freshEcosystem, problemOf } from "../api/calls.ts";
import { crash } from "../crash.ts";

const namespaces = env as unknown as Record<string, DurableObjectNamespace>;
const stubOf = (binding: string, name: string) => {
  const namespace = namespaces[binding] as DurableObjectNamespace;
  return namespace.get(namespace.idFromName(name));
};
const definitions = (sql: SqlStorage) =>
  sql.exec("SELECT name, sql FROM sqlite_master WHERE name NOT GLOB '_cf_*' ORDER BY name").toArray();

/** Each class, its name, and a call of the API that reaches its object. */
const OBJECTS = [
  ["SIGNAL_LOG", "SignalLog", 1, "/signals"],
  ["OBSERVATION_CACHE", "ObservationCache", 3, "/gaps"],
  ["POLICY_STATE", "PolicyState", 3, "/policies"],
  ["WORKER_BOARD", "WorkerBoard", 3, "/workers"],
  ["DEAD_LETTERS", "DeadLetters", 2, "/dead-letters"],
  ["AGENT_REGISTRY", "AgentRegistry", 1, "/agents"],
  ["WEBHOOKS", "Webhooks", 4, "/webhooks"],
  ["MODELS", "Models", 1, "/models"],
  ["INTELLIGENCE", "Intelligence", 1, "/intelligence/rollout"],
  ["AUDIT_LOG", "AuditLog", 2, "/audit"],
] as const;

describe("an object whose store a later release wrote", () => {
  test.each(OBJECTS)("%s refuses every call by name", async (binding, name, known, path) => {
    vi.spyOn(console, "error").mockReturnValue();
    const eco = freshEcosystem();
    const stub = stubOf(binding, eco);
    expect((await call(`/v1/${eco}${path}`)).status).toBe(200);
    await runInDurableObject(stub, (_, { storage }) => recordVersion(storage.sql, known + 1));
    await crash(stub);
    for (let again = 0; again < 2; again++) {
      const refused = await problemOf(await call(`/v1/${eco}${path}`));
      expect(refused).toMatchObject({ status: 503, type: expect.stringContaining("newer-schema") });
      expect(refused.detail).toContain(`${name} "${eco}" was stored with schema version ${known + 1}`);
      expect(refused.detail).toContain(`versions up to ${known}`);
      expect(refused.detail).toContain("Deploy the newer release again");
    }
  });
});

/** Storage of an object that no test uses otherwise. */
function inStorage<Result>(work: (storage: DurableObjectStorage) => Result): Promise<Result> {
  const stub = stubOf("MODELS", freshEcosystem());
  return runInDurableObject(stub, (_, { storage }) => {
    for (const { name } of storage.sql
      .exec<{ name: string }>("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT GLOB '_cf_*'")
      .toArray())
      storage.sql.exec(`DROP TABLE "${name}"`);
    return work(storage);
  });
}

const addA: SchemaStep = (sql) => void sql.exec("ALTER TABLE t ADD COLUMN a TEXT");
const addB: SchemaStep = (sql) => void sql.exec("ALTER TABLE t ADD COLUMN b TEXT");
const fail: SchemaStep = () => {
  throw new Error("the step failed");
};
const columns = (sql: SqlStorage) =>
  sql
    .exec<{ name: string }>("PRAGMA table_info(t)")
    .toArray()
    .map(({ name }) => name);
const open = (storage: DurableObjectStorage, ...steps: SchemaStep[]) =>
  openSchema(storage, storage.sql, { of: "Test", steps }, "x");
const stored = (sql: SqlStorage) => sql.exec<{ version: number }>("SELECT version FROM schema_version").one().version;

describe("a store of an earlier version", () => {
  test("goes through the steps that it lacks, in order and once", async () => {
    const after = await inStorage((storage) => {
      storage.sql.exec("CREATE TABLE t (id INTEGER PRIMARY KEY)");
      open(storage, addA);
      const between = [stored(storage.sql), columns(storage.sql)];
      open(storage, addA, addB);
      open(storage, addA, addB);
      return [between, [stored(storage.sql), columns(storage.sql)]];
    });
    expect(after).toEqual([
      [2, ["id", "a"]],
      [3, ["id", "a", "b"]],
    ]);
  });

  test("keeps its version and its tables where a step fails", async () => {
    const after = await inStorage((storage) => {
      storage.sql.exec("CREATE TABLE t (id INTEGER PRIMARY KEY)");
      open(storage, addA);
      expect(() => open(storage, addA, addB, fail)).toThrow("the step failed");
      return [stored(storage.sql), columns(storage.sql)];
    });
    expect(after).toEqual([2, ["id", "a"]]);
  });

  test("is refused, named with both versions and unchanged, by code that knows fewer", async () => {
    const after = await inStorage((storage) => {
      storage.sql.exec("CREATE TABLE t (id INTEGER PRIMARY KEY)");
      open(storage, addA, addB);
      const before = definitions(storage.sql);
      expect(() => open(storage, addA)).toThrow(
        'Test "x" was stored with schema version 3, and this release knows versions up to 2',
      );
      return [before, definitions(storage.sql)];
    });
    expect(after[1]).toEqual(after[0]);
  });
});

describe("the schema version", () => {
  test("is not written on a wake, and costs an object that is at version 1 nothing at all", async () => {
    const written = await inStorage((storage) => {
      const open = (...steps: SchemaStep[]) => {
        let rows = 0;
        const exec: SqlStorage["exec"] = (query, ...values) => {
          const cursor = storage.sql.exec(query, ...values);
          rows += cursor.rowsWritten;
          return cursor as never;
        };
        openSchema(storage, { exec }, { of: "Test", steps }, "x");
        return rows;
      };
      const first = [open(), open()];
      open(addA);
      return [...first, open(addA)];
    });
    expect(written).toEqual([0, 0, 0]);
  });

  test("of tables from before versions were recorded is found out once, whatever columns they have", async () => {
    const eco = freshEcosystem();
    const stub = stubOf("DEAD_LETTERS", eco);
    await runInDurableObject(stub, (_, { storage: { sql } }) => {
      sql.exec("DROP VIEW schema_version; DROP INDEX letters_by_cause; DROP TABLE letters");
      sql.exec(
        `CREATE TABLE letters (number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, body TEXT NOT NULL,
           attempts INTEGER NOT NULL, first_ms INTEGER NOT NULL, last_ms INTEGER NOT NULL, replayed_ms INTEGER, outcome TEXT,
           closed INTEGER NOT NULL DEFAULT 0)`,
      );
      const body = JSON.stringify({ kind: "signal", error: "no", daemon: "test" });
      sql.exec("INSERT INTO letters (id, body, attempts, first_ms, last_ms) VALUES ('old', ?, 1, 1, 9e12)", body);
    });
    await crash(stub);
    const answer = await call(`/v1/${eco}/dead-letters`);
    expect(await answer.json()).toMatchObject({ dead_letters: [{ id: "old" }] });
    const afterwards = stubOf("DEAD_LETTERS", eco);
    expect(await runInDurableObject(afterwards, (_, { storage }) => stored(storage.sql))).toBe(2);
  });
});
