import type { NewSignal } from "../../core/signals/signal.ts";
import type { SignalLog } from "../signals/object.ts";

/**
 * Signals on their way back to the log. Numbered, so that the log takes each once, whenever it is sent again: by their
 * ids alone it would know them for ten minutes.
 */
export class ReplayOutbox {
  readonly #sql: SqlStorage;
  #delivery: Promise<void> | undefined;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
    sql.exec("CREATE TABLE IF NOT EXISTS outgoing (number INTEGER PRIMARY KEY AUTOINCREMENT, body TEXT NOT NULL)");
    sql.exec("CREATE TABLE IF NOT EXISTS producer (one INTEGER PRIMARY KEY CHECK (one = 1), epoch TEXT NOT NULL)");
    sql.exec("INSERT OR IGNORE INTO producer VALUES (1, ?)", crypto.randomUUID().slice(0, 6));
  }

  add(signal: NewSignal): void {
    this.#sql.exec("INSERT INTO outgoing (body) VALUES (?)", JSON.stringify(signal));
  }

  get empty(): boolean {
    const { left } = this.#sql.exec<{ left: number }>("SELECT EXISTS(SELECT 1 FROM outgoing) AS left").one();
    return left === 0;
  }

  /** One at a time and in order: the log drops a number that comes after a later one. */
  deliver(log: DurableObjectStub<SignalLog>): Promise<void> {
    this.#delivery ??= this.#deliver(log).finally(() => {
      this.#delivery = undefined;
    });
    return this.#delivery;
  }

  async #deliver(log: DurableObjectStub<SignalLog>): Promise<void> {
    const { epoch } = this.#sql.exec<{ epoch: string }>("SELECT epoch FROM producer").one();
    for (;;) {
      const [row] = this.#sql.exec<{ number: number; body: string }>(
        "SELECT number, body FROM outgoing ORDER BY number LIMIT 1",
      );
      if (row === undefined) return;
      const signal: NewSignal = { ...NOTHING, ...(JSON.parse(row.body) as NewSignal) };
      const outcome = await log.append({
        producer: { name: `ganglion.dead-letters.${epoch}`, first: row.number },
        signals: [signal],
      });
      if ("overloaded" in outcome) throw new Error(outcome.detail);
      this.#sql.exec("DELETE FROM outgoing WHERE number = ?", row.number);
    }
  }
}

/** JSON drops what is undefined; the log's type wants it said. */
const NOTHING = { id: undefined, timestampMs: undefined, cause: undefined, trace: undefined, depth: undefined };
