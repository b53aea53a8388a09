import type { DatabaseSync } from "./state-database.ts";

/** An identity is deleted after this time: by then its item is gone, or was seen again. */
const KEPT_MS = 30 * 24 * 3600 * 1000;

/** Identities of items, such as files, that signals were made from. Call methods that write inside a transaction. */
export class TakenItems {
  readonly #sql: DatabaseSync;

  constructor(sql: DatabaseSync) {
    this.#sql = sql;
    sql.exec("CREATE TABLE IF NOT EXISTS taken (identity TEXT PRIMARY KEY, taken_ms INTEGER NOT NULL) WITHOUT ROWID");
  }

  /** Notes that the item is taken now. @returns whether it was taken before */
  take(identity: string, nowMs: number): boolean {
    const before = this.#sql.prepare("SELECT 1 FROM taken WHERE identity = ?").get(identity) !== undefined;
    this.#sql.prepare("INSERT OR REPLACE INTO taken VALUES (?, ?)").run(identity, nowMs);
    return before;
  }

  forget(identity: string): void {
    this.#sql.prepare("DELETE FROM taken WHERE identity = ?").run(identity);
  }

  prune(nowMs: number): void {
    this.#sql.prepare("DELETE FROM taken WHERE taken_ms < ?").run(nowMs - KEPT_MS);
  }
}
