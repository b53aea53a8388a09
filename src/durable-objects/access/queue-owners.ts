import type { Excess } from "../../core/quotas/excess.ts";
import { ExcessLedger } from "../../core/quotas/excess-ledger.ts";
import { limitOf } from "../../core/quotas/token-quotas.ts";

/**
 * Which token made each queue, so that one token makes no more than its share. Table: `queue_owners(token, ecosystem, name)`,
 * a row for each queue that began since there is this table.
 */
export class QueueOwners {
  readonly #sql: SqlStorage;
  /** In memory alone: who goes on being refused is named again. */
  readonly #excess = new ExcessLedger();

  constructor(sql: SqlStorage) {
    this.#sql = sql;
    sql.exec(
      `CREATE TABLE IF NOT EXISTS queue_owners (
         token TEXT NOT NULL, ecosystem TEXT NOT NULL, name TEXT NOT NULL, PRIMARY KEY (token, ecosystem, name)
       ) WITHOUT ROWID`,
    );
  }

  /** @returns whether the token may make this queue, which then counts as its own */
  admit(ecosystem: string, name: string, token: string, limit: number, nowMs: number): boolean {
    const { n, own } = this.#sql
      .exec<{ n: number; own: number | null }>(
        "SELECT COUNT(*) AS n, SUM(ecosystem = ? AND name = ?) AS own FROM queue_owners WHERE token = ?",
        ecosystem,
        name,
        token,
      )
      .one();
    if ((own ?? 0) > 0) return true;
    if (n >= limit) {
      this.#excess.note(limitOf("queues", limit), { sender: `token:${token}`, source: ecosystem }, nowMs);
      return false;
    }
    this.#sql.exec("INSERT INTO queue_owners (token, ecosystem, name) VALUES (?, ?, ?)", token, ecosystem, name);
    return true;
  }

  /** Tokens that were refused queues in an ecosystem lately. */
  excess(ecosystem: string, nowMs: number): Excess[] {
    return this.#excess.list(nowMs).filter(({ source }) => source === ecosystem);
  }

  /** @param name - `undefined`: all queues of the ecosystem */
  forget(ecosystem: string, name?: string): void {
    if (name === undefined) this.#sql.exec("DELETE FROM queue_owners WHERE ecosystem = ?", ecosystem);
    else this.#sql.exec("DELETE FROM queue_owners WHERE ecosystem = ? AND name = ?", ecosystem, name);
  }
}
