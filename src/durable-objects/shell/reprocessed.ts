/**
 * Which dead letters of a projection have been taken in again. Written in the transaction of what follows from that, so
 * that a replay that is asked for twice, or whose answer was lost, has its effect once. A row for each replay by people.
 */
export class Reprocessed {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
    sql.exec("CREATE TABLE IF NOT EXISTS retaken (letter TEXT PRIMARY KEY) WITHOUT ROWID");
  }

  has(letter: string): boolean {
    return this.#sql.exec("SELECT 1 FROM retaken WHERE letter = ?", letter).toArray().length > 0;
  }

  /** Signals behind this place are gone, and others will stand there. */
  forgetAfter(seq: number): void {
    this.#sql.exec("DELETE FROM retaken WHERE CAST(letter AS INTEGER) > ?", seq);
  }

  add(letter: string): void {
    this.#sql.exec("INSERT INTO retaken (letter) VALUES (?)", letter);
  }
}
