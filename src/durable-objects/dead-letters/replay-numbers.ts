import { newEpoch } from "../shell/epoch.ts";
import type { EmittedNumbers } from "../shell/outbox.ts";

/**
 * Numbers of replayed signals, so that the log takes each once, whenever it is sent again: by their ids alone it would
 * recognise them for ten minutes. SQLite keeps the last number with the table of the outbox, across deletions.
 *
 * Table: `producer(epoch)`, of one row; makes the outbox's table `outgoing`, with numbers that are never used again.
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
