import type { Excess } from "../../core/quotas/excess.ts";
import { ExcessLedger } from "../../core/quotas/excess-ledger.ts";
import { limitOf } from "../../core/quotas/token-quotas.ts";

/**
 * Which token made each ecosystem, so that one token makes no more than its share. Table:
 * `ecosystem_owners(token, ecosystem)`, a row for each ecosystem that a token for all ecosystems began since there is this
 * table.
 */
export class EcosystemOwners {
  readonly #sql: SqlStorage;
  /** In memory alone: who goes on being refused is named again. */
  readonly #excess = new ExcessLedger();

  constructor(sql: SqlStorage) {
    this.#sql = sql;
    sql.exec(
      "CREATE TABLE IF NOT EXISTS ecosystem_owners (token TEXT NOT NULL, ecosystem TEXT NOT NULL, PRIMARY KEY (token, ecosystem)) WITHOUT ROWID",
    );
  }

  /** @returns whether the token may make this ecosystem, which then counts as its own; `true` for one that exists */
  admit(ecosystem: string, token: string, limit: number, nowMs: number): boolean {
    if (this.#exists(ecosystem)) return true;
    const { n } = this.#sql
      .exec<{ n: number }>("SELECT COUNT(*) AS n FROM ecosystem_owners WHERE token = ?", token)
      .one();
    if (n >= limit) {
      this.#excess.note(limitOf("ecosystems", limit), { sender: `token:${token}`, source: "" }, nowMs);
      return false;
    }
    this.#sql.exec("INSERT INTO ecosystem_owners (token, ecosystem) VALUES (?, ?)", token, ecosystem);
    return true;
  }

  /** Of the tokens that made this ecosystem, those that were refused others lately. */
  excess(ecosystem: string, nowMs: number): Excess[] {
    const all = this.#excess.list(nowMs);
    if (all.length === 0) return all;
    const rows = this.#sql.exec<{ token: string }>("SELECT token FROM ecosystem_owners WHERE ecosystem = ?", ecosystem);
    const makers = new Set([...rows].map(({ token }) => `token:${token}`));
    return all.filter(({ sender }) => makers.has(sender));
  }

  forget(ecosystem: string): void {
    this.#sql.exec("DELETE FROM ecosystem_owners WHERE ecosystem = ?", ecosystem);
  }

  /** An ecosystem that is about to begin has an owner before it has a row of its own. */
  #exists(ecosystem: string): boolean {
    const select =
      "SELECT 1 FROM ecosystems WHERE name = ?1 UNION ALL SELECT 1 FROM ecosystem_owners WHERE ecosystem = ?1 LIMIT 1";
    return this.#sql.exec(select, ecosystem).toArray().length > 0;
  }
}
