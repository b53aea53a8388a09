import { BreakerState } from "../../core/queue/breaker.ts";
import type { BreakerChanges } from "../../core/queue/call-breakers.ts";
import { readableRows } from "../shell/readable-rows.ts";

/**
 * The breakers of a queue that are open, or on the way there. Table: `breakers(recipient, state)`, made with the first call
 * that fails: most queues never have one.
 */
export class BreakerStore {
  readonly #sql: SqlStorage;
  #isThere: boolean;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
    this.#isThere = this.#look();
  }

  *read(): Generator<readonly [recipient: string, state: BreakerState]> {
    // A transaction that made the table may have failed since.
    this.#isThere = this.#look();
    if (!this.#isThere) return;
    yield* readableRows(
      "breakers",
      this.#sql.exec<{ recipient: string; state: string }>("SELECT recipient, state FROM breakers"),
      ({ recipient, state }) => [recipient, BreakerState.parse(JSON.parse(state))] as const,
    );
  }

  /** Must run in a transaction. */
  write(stored: BreakerChanges["stored"]): void {
    if (stored.length === 0) return;
    if (!this.#isThere) {
      this.#sql.exec(
        "CREATE TABLE IF NOT EXISTS breakers (recipient TEXT PRIMARY KEY, state TEXT NOT NULL) WITHOUT ROWID",
      );
      this.#isThere = true;
    }
    for (const [recipient, state] of stored) {
      if (state === undefined) this.#sql.exec("DELETE FROM breakers WHERE recipient = ?", recipient);
      else
        this.#sql.exec(
          "INSERT INTO breakers VALUES (?1, ?2) ON CONFLICT (recipient) DO UPDATE SET state = ?2",
          recipient,
          JSON.stringify(state),
        );
    }
  }

  #look(): boolean {
    return (
      this.#sql.exec("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'breakers'").toArray().length > 0
    );
  }
}
