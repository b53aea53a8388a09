import { runInDurableObject } from "cloudflare:test";
import { describe, expect, test } from "vitest";
import { freshEcosystem } from "../api/calls.ts";
import { logOf } from "../log-under-test.ts";

/** Runs statements as the object's own code does. */
const onItsSql = (use: (sql: SqlStorage) => void) =>
  runInDurableObject(logOf(freshEcosystem()), (log) => {
    const { sql } = log as unknown as { readonly sql: SqlStorage };
    sql.exec("CREATE TABLE t (a TEXT, b TEXT)");
    use(sql);
  });

describe("storage of an object under test", () => {
  test("refuses a text of more than two million bytes, as the real edge does", () =>
    onItsSql((sql) => {
      expect(() => sql.exec("INSERT INTO t (a) VALUES (?)", "x".repeat(2_000_001))).toThrow("2000001 bytes");
      expect(() => sql.exec("INSERT INTO t (a) VALUES (?)", "€".repeat(700_000))).toThrow("2100000 bytes");
      expect(() => sql.exec("INSERT INTO t (a) VALUES (?)", new Uint8Array(2_000_001))).toThrow("2000001 bytes");
      sql.exec("INSERT INTO t (a) VALUES (?)", "x".repeat(2_000_000));
    }));

  test("refuses a row of more than two million bytes, and counts rows of one statement apart", () =>
    onItsSql((sql) => {
      const half = "x".repeat(1_100_000);
      expect(() => sql.exec("INSERT INTO t VALUES (?, ?)", half, half)).toThrow("a row of 2200000 bytes");
      sql.exec("INSERT INTO t (a) VALUES (?), (?)", half, half);
    }));

  test("refuses a statement with more than a hundred parameters", () =>
    onItsSql((sql) => {
      const query = (count: number) => `SELECT ${Array.from({ length: count }, () => "?").join(" + ")}`;
      expect(() => sql.exec(query(101), ...Array(101).fill(1))).toThrow("101 parameters");
      expect([...sql.exec(query(100), ...Array(100).fill(1))]).toHaveLength(1);
    }));
});
