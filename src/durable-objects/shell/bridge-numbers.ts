import { BridgeCounter } from "../../core/federation/bridge-counter.ts";
import { newEpoch } from "./epoch.ts";

/**
 * Numbers of the signals that an ecosystem forwards: the logs that they go to drop numbers that they have seen. Counted in
 * memory and written once a transaction, since each write is a row.
 *
 * Table: `bridges(ecosystem, epoch, number)`, made with the first forwarded signal: most ecosystems forward none.
 */
export class BridgeNumbers {
  readonly #sql: SqlStorage;
  readonly #own: string;
  #counter: BridgeCounter | undefined;
  readonly #changed = new Set<string>();

  /** @param own - the ecosystem that forwards */
  constructor(sql: SqlStorage, own: string) {
    this.#sql = sql;
    this.#own = own;
  }

  /** Gives out the id that the next signal for `ecosystem` has there. Call it in a transaction. */
  next(ecosystem: string): string {
    this.#changed.add(ecosystem);
    return this.#loaded.next(ecosystem, newEpoch);
  }

  /** See {@link BridgeCounter.renew}. Call it in a transaction. */
  renew(ecosystem: string, at: string): void {
    this.#changed.add(ecosystem);
    this.#loaded.renew(ecosystem, at);
  }

  /** In the transaction, after everything was numbered. */
  write(): void {
    for (const ecosystem of this.#changed) {
      const bridge = this.#loaded.get(ecosystem);
      if (bridge === undefined) continue;
      const { epoch, number } = bridge;
      this.#sql.exec("INSERT OR REPLACE INTO bridges VALUES (?, ?, ?)", ecosystem, epoch, number);
    }
    this.#changed.clear();
  }

  /** The transaction failed: the disk has the numbers of before, and perhaps no table. */
  restore(): void {
    this.#counter = undefined;
    this.#changed.clear();
  }

  get #loaded(): BridgeCounter {
    this.#counter ??= this.#load();
    return this.#counter;
  }

  #load(): BridgeCounter {
    this.#sql.exec(
      `CREATE TABLE IF NOT EXISTS bridges (ecosystem TEXT PRIMARY KEY, epoch TEXT NOT NULL, number INTEGER NOT NULL)
         WITHOUT ROWID`,
    );
    const rows = this.#sql.exec<{ ecosystem: string; epoch: string; number: number }>("SELECT * FROM bridges");
    return new BridgeCounter(
      this.#own,
      [...rows].map(({ ecosystem, epoch, number }) => [ecosystem, { epoch, number }] as const),
    );
  }
}
