import { StoredErasure } from "../../core/erasure/stored-erasure.ts";
import { readableRows } from "../shell/readable-rows.ts";

/** Erasures that are shown. */
const MAX_LISTED = 1_000;

/**
 * The erasures of an ecosystem. Table: `erasures(number, id, open, body)`, made with the first of them: most logs have none.
 */
export class ErasureStore {
  readonly #sql: SqlStorage;
  #exists: boolean;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
    this.#exists =
      sql.exec("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'erasures'").toArray().length > 0;
  }

  /** Whether there ever was one. */
  get any(): boolean {
    return this.#exists;
  }

  /** The newest first. */
  list(): StoredErasure[] {
    return this.#read("ORDER BY number DESC LIMIT ?", MAX_LISTED);
  }

  find(id: string): StoredErasure | undefined {
    return this.#read("WHERE id = ?", id)[0];
  }

  /** Those that are not complete, the oldest first. */
  get open(): StoredErasure[] {
    return this.#read("WHERE open = 1 ORDER BY number LIMIT ?", MAX_LISTED);
  }

  add(erasure: StoredErasure): void {
    this.#sql.exec(
      "CREATE TABLE IF NOT EXISTS erasures (number INTEGER PRIMARY KEY, id TEXT NOT NULL, open INTEGER NOT NULL, body TEXT NOT NULL)",
    );
    const body = JSON.stringify(erasure);
    this.#sql.exec("INSERT INTO erasures (id, open, body) VALUES (?, 1, ?)", erasure.id, body);
    this.#exists = true;
  }

  write(erasure: StoredErasure): void {
    const open = Number(erasure.at.part !== "done");
    this.#sql.exec("UPDATE erasures SET open = ?, body = ? WHERE id = ?", open, JSON.stringify(erasure), erasure.id);
  }

  #read(which: string, value: string | number): StoredErasure[] {
    if (!this.#exists) return [];
    const rows = this.#sql.exec<{ body: string }>(`SELECT body FROM erasures ${which}`, value).toArray();
    return [...readableRows("erasures", rows, ({ body }) => StoredErasure.parse(JSON.parse(body)))];
  }
}
