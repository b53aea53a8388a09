/**
 * The epoch of the log that the links of a relay follow, as it survives a hibernation. Table: `followed`, one row, written
 * when the first link subscribes and when another log takes the place of that one.
 */
export class FollowedEpoch {
  readonly #sql: SqlStorage;
  #epoch: string | undefined;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
    sql.exec("CREATE TABLE IF NOT EXISTS followed (only INTEGER PRIMARY KEY CHECK (only = 1), epoch TEXT NOT NULL)");
    const [row] = sql.exec<{ epoch: string }>("SELECT epoch FROM followed").toArray();
    this.#epoch = row?.epoch;
  }

  /** Follows the log of this epoch from now on. @returns whether another one was followed before */
  changes(epoch: string): boolean {
    if (epoch === this.#epoch) return false;
    const changed = this.#epoch !== undefined;
    this.#sql.exec("INSERT OR REPLACE INTO followed (only, epoch) VALUES (1, ?)", epoch);
    this.#epoch = epoch;
    return changed;
  }
}
