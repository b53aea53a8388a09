import { existsSync, mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, expect, test } from "vitest";
import { removeEmptyObjects } from "../../../local-edge/empty-objects.ts";

describe("files of objects", () => {
  const storage = mkdtempSync(join(tmpdir(), "ganglion-empty-"));
  const folder = join(storage, "do", "ganglion-PriorityQueue");
  mkdirSync(folder, { recursive: true });
  const object = (digit: string, fill: string) => {
    const file = join(folder, `${digit.repeat(64)}.sqlite`);
    const database = new DatabaseSync(file);
    database.exec("PRAGMA journal_mode = WAL");
    database.exec(fill);
    database.close();
    return file;
  };

  test("are removed where they hold no table, and kept where they hold one or changes that are not in them yet", () => {
    const empty = object("a", "CREATE TABLE t (x); DROP TABLE t; VACUUM");
    const full = object("b", "CREATE TABLE t (x)");
    const changed = object("c", "VACUUM");
    writeFileSync(`${changed}-wal`, "changes");
    const other = join(folder, "metadata.sqlite");
    writeFileSync(other, "");
    removeEmptyObjects(storage);
    expect([empty, full, changed, other].map((file) => existsSync(file))).toEqual([false, true, true, true]);
  });

  test("need not be there", () => {
    expect(() => removeEmptyObjects(join(storage, "nowhere"))).not.toThrow();
  });
});
