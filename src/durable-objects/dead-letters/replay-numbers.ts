import { newEpoch } from "../shell/epoch.ts";
import type { EmittedNumbers } from "../shell/outbox.ts";

/**
 * Numbers the replayed signals, so that the log appends each once however often it is sent: by its id alone the log
 * recognises a signal for ten minutes only. SQLite keeps the last number of the outbox's table across deletions.
 *
 * Tables: `producer(epoch)`, one row; and `outgoing` of the outbox, with numbers that are never used twice.
 */
export class ReplayNumbers implements EmittedNumbers {
  readonly producer: string;
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
    sql.exec("CREATE TABLE IF NOT EXISTS outgoing (number INTEGER PRIMARY KEY AUTOINCREMENT, body TEXT NOT NULL)");
    sql.exec("CREATE TABLE IF NOT EXISTS producer (one INTEGER PRIMARY KEY CHECK (one = 1), epoch TEXT NOT NULL)");
    sql.exec("INSERT OR IGNORE INTO producer VALUES (1, ?)", newEpoch());
    const { epoch } = sql.exec<{ epoch: string }>("SELECT epoch FROM producer").one();
    this.producer = `ganglion.dead-letters.${epoch}`;
  }

  next(): number {
    const [row] = this.#sql.exec<{ seq: number }>("SELECT seq FROM sqlite_sequence WHERE name = 'outgoing'");
    return (row?.seq ?? 0) + 1;
  }
}
