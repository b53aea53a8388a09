import { newEpoch } from "./epoch.ts";
import type { EmittedNumbers } from "./outbox.ts";

interface Row {
  [column: string]: SqlStorageValue;
  cursor: number;
  number: number;
  muted_through: number;
  epoch: string;
}

/**
 * How far a projection has come in the log, and which number it emitted last. Moved in memory, and written once at the
 * end of the transaction that it belongs to: each write is a row.
 *
 * Table: `position`, of one row.
 */
export class Position implements EmittedNumbers {
  readonly #sql: SqlStorage;
  readonly #name: string;
  #row: Row;
  #stored: Row;

  /** @param name - of the projection */
  constructor(sql: SqlStorage, name: string) {
    this.#sql = sql;
    this.#name = name;
    sql.exec(
      `CREATE TABLE IF NOT EXISTS position (one INTEGER PRIMARY KEY CHECK (one = 1), cursor INTEGER NOT NULL,
         number INTEGER NOT NULL, muted_through INTEGER NOT NULL, epoch TEXT NOT NULL)`,
    );
    sql.exec("INSERT OR IGNORE INTO position VALUES (1, 0, 0, 0, ?)", newEpoch());
    this.#row = sql.exec<Row>("SELECT cursor, number, muted_through, epoch FROM position").one();
    this.#stored = this.#row;
  }

  /** The log has been taken in up to here. */
  get cursor(): number {
    return this.#row.cursor;
  }

  /** Up to here the log was taken in before a rebuild: the effects of those signals have been emitted already. */
  get mutedThrough(): number {
    return this.#row.muted_through;
  }

  get producer(): string {
    return `ganglion.${this.#name}.${this.#row.epoch}`;
  }

  next(): number {
    const number = this.#row.number + 1;
    this.#row = { ...this.#row, number };
    return number;
  }

  moveTo(cursor: number): void {
    this.#row = { ...this.#row, cursor };
  }

  /** Back to the beginning of the log, with everything muted that was taken in. */
  rewind(): void {
    const { cursor, muted_through } = this.#row;
    this.#row = { ...this.#row, cursor: 0, muted_through: Math.max(cursor, muted_through) };
  }

  /** In the transaction. */
  write(): void {
    if (this.#row === this.#stored) return;
    const { cursor, number, muted_through } = this.#row;
    this.#sql.exec("UPDATE position SET cursor = ?, number = ?, muted_through = ?", cursor, number, muted_through);
  }

  /** The transaction was written. */
  written(): void {
    this.#stored = this.#row;
  }

  /** The transaction failed. */
  restore(): void {
    this.#row = this.#stored;
  }
}
