/** Stores that are remembered. */
const MAX_STORES = 20;
/** A store of which nothing was reported for so long counts as read again. */
const FORGET_MS = 10 * 60_000;

/** An object of which something stored cannot be read. */
export interface DamagedStore {
  /** Name of the class, such as `SignalLog`. */
  readonly object: string;
  readonly name: string;
}

/** Objects that have reported damage lately, for the answer whether the deployment is ready. Table: `damaged_stores`. */
export class DamagedStores {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
    sql.exec(
      `CREATE TABLE IF NOT EXISTS damaged_stores (
         object TEXT NOT NULL, name TEXT NOT NULL, at_ms INTEGER NOT NULL, PRIMARY KEY (object, name)
       ) WITHOUT ROWID`,
    );
  }

  report({ object, name }: DamagedStore, nowMs: number): void {
    const known = this.#sql.exec<{ n: number }>("SELECT COUNT(*) AS n FROM damaged_stores").one().n;
    if (known >= MAX_STORES) this.#sql.exec("DELETE FROM damaged_stores WHERE at_ms < ?", nowMs - FORGET_MS);
    if (known >= MAX_STORES && this.list(nowMs).length >= MAX_STORES) return;
    this.#sql.exec(
      "INSERT OR REPLACE INTO damaged_stores (object, name, at_ms) VALUES (?, ?, ?)",
      object,
      name.slice(0, 300),
      nowMs,
    );
  }

  list(nowMs: number): DamagedStore[] {
    return this.#sql
      .exec<{ object: string; name: string }>(
        "SELECT object, name FROM damaged_stores WHERE at_ms >= ? ORDER BY object, name",
        nowMs - FORGET_MS,
      )
      .toArray();
  }

  /** The object reads everything again. */
  repaired({ object, name }: DamagedStore): void {
    this.#sql.exec("DELETE FROM damaged_stores WHERE object = ? AND name = ?", object, name);
  }
}
