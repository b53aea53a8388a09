import * as z from "zod";
import { abovePrefix } from "../../core/notes/key.ts";
import type { StoredNote } from "../../core/notes/note.ts";
import type { NoteRows, NoteTotals } from "../../core/notes/note-book.ts";
import { Notes } from "../shell/notes.ts";
import { readableOr, readableRows } from "../shell/readable-rows.ts";

const Totals = z.object({ version: z.int(), notes: z.int(), bytes: z.int() });

interface Row extends Record<string, SqlStorageValue> {
  key: string;
  version: number;
  created_ms: number;
  changed_ms: number;
  expires_ms: number | null;
  author: string;
  value: string;
}

type NoteName = "epoch" | "emitted" | "totals" | "told";

/**
 * The notes of an ecosystem. Nothing of them is held in memory but their totals: an object that wakes for one note reads that.
 *
 * Tables: `entries(key, version, created_ms, changed_ms, expires_ms, author, value)`; among the values that have no table, the
 * `totals`, one row for each change.
 */
export class NoteStore implements NoteRows {
  readonly values: Notes<NoteName>;
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
    this.values = new Notes<NoteName>(sql);
    sql.exec(
      `CREATE TABLE IF NOT EXISTS entries (key TEXT PRIMARY KEY, version INTEGER NOT NULL, created_ms INTEGER NOT NULL,
         changed_ms INTEGER NOT NULL, expires_ms INTEGER, author TEXT NOT NULL, value TEXT NOT NULL) WITHOUT ROWID`,
    );
    sql.exec("CREATE INDEX IF NOT EXISTS entries_expire ON entries (expires_ms) WHERE expires_ms IS NOT NULL");
  }

  /**
   * The totals as they are stored. Where they cannot be read, they are counted: a version above every one that there is keeps
   * all tags apart.
   */
  totals(): NoteTotals {
    const read = (text: string) => Totals.parse(JSON.parse(text));
    const stored = readableOr("totals of notes", this.values.read("totals"), read, undefined);
    if (stored !== undefined) return { ...stored };
    const count =
      "SELECT count(*) AS notes, coalesce(sum(length(CAST(value AS BLOB))), 0) AS bytes, coalesce(max(version), 0) AS version FROM entries";
    return { ...this.#sql.exec<{ notes: number; bytes: number; version: number }>(count).one() };
  }

  writeTotals(totals: NoteTotals): void {
    this.values.write("totals", JSON.stringify(totals));
  }

  find(key: string): StoredNote | undefined {
    return this.#read("WHERE key = ?", key)[0];
  }

  /** By key, those after `after` that begin with `prefix` and are not over. */
  page(prefix: string, after: string, nowMs: number, limit: number): StoredNote[] {
    const from = "WHERE key > ?1 AND key >= ?2 AND key < ?3 AND (expires_ms IS NULL OR expires_ms > ?4)";
    return this.#read(`${from} ORDER BY key LIMIT ?5`, after, prefix, abovePrefix(prefix), nowMs, limit);
  }

  write({ key, version, createdMs, changedMs, expiresMs, by, valueJson }: StoredNote): void {
    this.#sql.exec(
      `INSERT INTO entries (key, version, created_ms, changed_ms, expires_ms, author, value) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
         ON CONFLICT (key) DO UPDATE SET version = ?2, created_ms = ?3, changed_ms = ?4, expires_ms = ?5, author = ?6, value = ?7`,
      ...[key, version, createdMs, changedMs, expiresMs, by, valueJson],
    );
  }

  delete(key: string): void {
    this.#sql.exec("DELETE FROM entries WHERE key = ?", key);
  }

  expired(nowMs: number, limit: number): StoredNote[] {
    return this.#read("WHERE expires_ms <= ? ORDER BY expires_ms, key LIMIT ?", nowMs, limit);
  }

  /** When the first of all ends by itself; `undefined`: none does. */
  get nextExpiryMs(): number | undefined {
    const next = "SELECT expires_ms FROM entries WHERE expires_ms IS NOT NULL ORDER BY expires_ms LIMIT 1";
    return this.#sql.exec<{ expires_ms: number }>(next).toArray()[0]?.expires_ms;
  }

  /** An id may hold slashes: the notes of a task are counted by its first name. */
  countBeside(key: string): number {
    const prefix = `${key.split("/").slice(0, 2).join("/")}/`;
    const count = "SELECT count(*) AS notes FROM entries WHERE key >= ? AND key < ?";
    return this.#sql.exec<{ notes: number }>(count, prefix, abovePrefix(prefix)).one().notes;
  }

  #read(where: string, ...values: SqlStorageValue[]): StoredNote[] {
    const select = "SELECT key, version, created_ms, changed_ms, expires_ms, author, value FROM entries";
    const rows = this.#sql.exec<Row>(`${select} ${where}`, ...values).toArray();
    return [
      ...readableRows("a note", rows, (row) => ({
        key: row.key,
        valueJson: jsonObject(row.value),
        version: row.version,
        createdMs: row.created_ms,
        changedMs: row.changed_ms,
        expiresMs: row.expires_ms,
        by: row.author,
      })),
    ];
  }
}

/** @throws where a stored value is no JSON object: an answer that quotes it would not be JSON */
function jsonObject(text: string): string {
  const value: unknown = JSON.parse(text);
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw new TypeError("a note is a JSON object");
  return text;
}
