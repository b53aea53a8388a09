import { LabelledCounts, StoredCounts } from "../../core/collections/labelled-counts.ts";
import { BridgeNumbers } from "./bridge-numbers.ts";
import { newEpoch } from "./epoch.ts";
import type { EmittedNumbers } from "./outbox.ts";
import { readableOr } from "./readable-rows.ts";

interface Row {
  [column: string]: SqlStorageValue;
  cursor: number;
  number: number;
  muted_through: number;
  epoch: string;
  log_epoch: string | null;
  counts: string | null;
}

/** How far the cursor may have moved over signals that the projection does not take before that is worth a row. */
const UNWRITTEN = 10_000;

/**
 * How far a projection has come in the log, and which number it emitted last. Moved in memory, and written once at the
 * end of the transaction that it belongs to: each write is a row.
 *
 * Table: `position`, of one row.
 */
export class Position implements EmittedNumbers {
  /** Numbers of what went to other ecosystems. */
  readonly bridges: BridgeNumbers;
  /** What the projection counts for metrics: to be counted in a transaction, and written with it. */
  counts: LabelledCounts;
  readonly #sql: SqlStorage;
  readonly #name: string;
  #row: Row;
  #stored: Row;

  /** @param name - of the projection @param ecosystem - whose log it takes in */
  constructor(sql: SqlStorage, name: string, ecosystem: string) {
    this.#sql = sql;
    this.#name = name;
    this.bridges = new BridgeNumbers(sql, ecosystem);
    sql.exec(
      `CREATE TABLE IF NOT EXISTS position (one INTEGER PRIMARY KEY CHECK (one = 1), cursor INTEGER NOT NULL,
         number INTEGER NOT NULL, muted_through INTEGER NOT NULL, epoch TEXT NOT NULL, log_epoch TEXT, counts TEXT)`,
    );
    sql.exec(
      "INSERT OR IGNORE INTO position (one, cursor, number, muted_through, epoch) VALUES (1, 0, 0, 0, ?)",
      newEpoch(),
    );
    this.#row = sql.exec<Row>("SELECT cursor, number, muted_through, epoch, log_epoch, counts FROM position").one();
    this.#stored = this.#row;
    this.counts = countsIn(this.#row);
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

  /**
   * Passes over signals that the projection does not take. Without a row, unless there were many of them: after the object
   * was evicted they are passed over once more.
   *
   * @returns false: moves only in a transaction
   */
  passOver(cursor: number): boolean {
    if (cursor - this.#stored.cursor > UNWRITTEN) return false;
    this.moveTo(cursor);
    return true;
  }

  /** Epoch of the log whose signals the cursor counts; `null`: not known yet. */
  get logEpoch(): string | null {
    return this.#row.log_epoch;
  }

  follow(logEpoch: string): void {
    this.#row = { ...this.#row, log_epoch: logEpoch };
  }

  /** Back to the beginning of the log. @param mutedThrough - effects of signals up to here were emitted already */
  rewind(mutedThrough: number): void {
    this.#row = { ...this.#row, cursor: 0, muted_through: mutedThrough };
  }

  /** In the transaction. */
  write(): void {
    this.bridges.write();
    if (this.counts.changed) this.#row = { ...this.#row, counts: JSON.stringify(this.counts.take()) };
    if (this.#row === this.#stored) return;
    const { cursor, number, muted_through, log_epoch, counts } = this.#row;
    this.#sql.exec(
      "UPDATE position SET cursor = ?, number = ?, muted_through = ?, log_epoch = ?, counts = ?",
      cursor,
      number,
      muted_through,
      log_epoch,
      counts,
    );
  }

  /** The transaction was written. */
  written(): void {
    this.#stored = this.#row;
  }

  /** The transaction failed. */
  restore(): void {
    this.bridges.restore();
    this.#row = this.#stored;
    this.counts = countsIn(this.#row);
  }
}

const countsIn = ({ counts }: Row) =>
  new LabelledCounts(
    readableOr(
      "counts of a projection",
      counts ?? undefined,
      (text) => StoredCounts.parse(JSON.parse(text)),
      undefined,
    ),
  );
