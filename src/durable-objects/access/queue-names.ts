import type { QueueRecord } from "../../core/access/api.ts";
import { formatTimestamp } from "../../core/signals/timestamp.ts";

/** The queues of all ecosystems. Table: `queues`, a row for each queue that ever held a task. */
export class QueueNames {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
    // WITHOUT ROWID: with a text key each write costs one row instead of two.
    sql.exec(
      `CREATE TABLE IF NOT EXISTS queues (
         ecosystem TEXT NOT NULL, name TEXT NOT NULL, created_ms INTEGER NOT NULL, PRIMARY KEY (ecosystem, name)
       ) WITHOUT ROWID`,
    );
  }

  add(ecosystem: string, name: string, nowMs: number): void {
    const insert = "INSERT OR IGNORE INTO queues (ecosystem, name, created_ms) VALUES (?, ?, ?)";
    this.#sql.exec(insert, ecosystem, name, nowMs);
  }

  has(ecosystem: string, name: string): boolean {
    const select = "SELECT 1 FROM queues WHERE ecosystem = ? AND name = ?";
    return this.#sql.exec(select, ecosystem, name).toArray().length > 0;
  }

  /** By name. */
  list(ecosystem: string): QueueRecord[] {
    const select = "SELECT name, created_ms FROM queues WHERE ecosystem = ? ORDER BY name";
    const rows = [...this.#sql.exec<{ name: string; created_ms: number }>(select, ecosystem)];
    return rows.map(({ name, created_ms }) => ({ name, created_at: formatTimestamp(created_ms) }));
  }

  remove(ecosystem: string, name: string): void {
    this.#sql.exec("DELETE FROM queues WHERE ecosystem = ? AND name = ?", ecosystem, name);
  }

  /** Forgets the queues of an ecosystem. */
  forget(ecosystem: string): void {
    this.#sql.exec("DELETE FROM queues WHERE ecosystem = ?", ecosystem);
  }
}
